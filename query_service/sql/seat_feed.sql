-- Purpose: the changes of seats that changed something, in the order they were stored.
-- Slots: after, true for those behind the place.
-- Parameters: tenant, allowed_teams (empty: all), from_version (of the place), limit, and key_0, key_1, ... of the change before.
-- Columns: those of seat_changes, key_0, key_1, ...
SELECT
    at, user_id, product_id, team_id, access, assignment, `group`, assigned, actor, request_id,
    toInt128(version) AS key_0,
    user_id AS key_1,
    product_id AS key_2,
    team_id AS key_3,
    access AS key_4,
    toInt128(toUnixTimestamp64Milli(at)) AS key_5,
    assignment AS key_6,
    `group` AS key_7,
    request_id AS key_8
FROM
(
    SELECT
        user_id, product_id, team_id, at, `group`, assigned, actor, request_id, version,
        toString(seat_changes.access) AS access,
        toString(seat_changes.assignment) AS assignment,
        -- As it was before this change; what comes after it is not looked at.
        lagInFrame(assigned, 1, false) OVER (
            PARTITION BY user_id, product_id, team_id, seat_changes.access, seat_changes.assignment, `group`
            ORDER BY at, version, assigned
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS was_assigned
    FROM seat_changes FINAL
    WHERE tenant = {tenant:String}
        AND NOT deleted
        AND (empty({allowed_teams:Array(String)}) OR team_id IN {allowed_teams:Array(String)})
        AND (user_id, product_id, team_id) IN
        (
            SELECT user_id, product_id, team_id
            FROM seat_changes FINAL
            WHERE tenant = {tenant:String} AND version >= {from_version:UInt64}
        )
)
WHERE assigned != was_assigned AND ($after)
ORDER BY key_0, key_1, key_2, key_3, key_4, key_5, key_6, key_7, key_8
LIMIT {limit:UInt32}

-- Purpose: the state of each seat (team, user, product, access) that was ever assigned: its paths
--   (assignment, group), folded by (at, version), and the one that is shown.
-- Slots (SQL from files and allow-lists): early, conditions on the key.
-- Parameters: tenant, allowed_teams (empty: all), from_day, to_day, as_of, and those of the
--   conditions.
-- Columns: the key, assigned_now, held_in_range, path (assignment, group, assigned_at,
--   unassigned_at; 1970 for not unassigned).
SELECT
    team_id,
    user_id,
    product_id,
    access,
    max(is_open) AS assigned_now,
    max(in_range) AS held_in_range,
    -- Open ones first, direct before group before default; else the last one closed.
    argMin(
        (assignment, `group`, opened_at, closed_at),
        (
            NOT is_open,
            -toUnixTimestamp64Milli(closed_at),
            indexOf(['direct', 'group', 'default'], assignment),
            `group`
        )
    ) AS path
FROM
(
    SELECT
        *,
        toBool(length(turns) % 2 = 1) AS is_open,
        turns[if(length(turns) % 2 = 1, -1, -2)] AS opened_at,
        if(length(turns) % 2 = 1, toDateTime64(0, 3, 'UTC'), turns[-1]) AS closed_at,
        -- Opened at odd numbers, before the end of R, and still open after its beginning.
        arrayExists(
            (turn, until, number) -> number % 2 = 1
                AND turn < toDateTime64({to_day:Date} + 1, 3, 'UTC')
                AND until > greatest(turn, toDateTime64({from_day:Date}, 3, 'UTC')),
            turns,
            -- Of the same length, also where it is 0: those are left out only afterwards.
            arrayResize(
                arrayPopFront(turns), length(turns), toDateTime64('2299-12-31 00:00:00', 3, 'UTC')
            ),
            arrayEnumerate(turns)
        ) AS in_range
    FROM
    (
        -- When the path was opened and closed, in turn: changes that change nothing are skipped.
        SELECT
            team_id, user_id, product_id, access, assignment, `group`,
            arrayFilter(
                (at, assigned, before) -> assigned != before,
                changes.1,
                changes.3,
                arrayPushFront(arrayPopBack(changes.3), false)
            ) AS turns
        FROM
        (
            SELECT
                team_id, user_id, product_id, toString(seat_changes.access) AS access,
                toString(seat_changes.assignment) AS assignment, `group`,
                arraySort(groupArray((at, version, assigned))) AS changes
            FROM seat_changes FINAL
            WHERE tenant = {tenant:String}
                AND NOT deleted
                AND at <= {as_of:DateTime64(3, 'UTC')}
                AND (empty({allowed_teams:Array(String)}) OR team_id IN {allowed_teams:Array(String)})
                AND $early
            GROUP BY team_id, user_id, product_id, access, assignment, `group`
        )
    )
    WHERE notEmpty(turns)
)
GROUP BY team_id, user_id, product_id, access

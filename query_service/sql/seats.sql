-- Purpose: the state of each seat (team, user, product, access) that was ever assigned: its paths
--   (assignment, group), folded by (at, version), and the one that is shown.
-- Slots (SQL from files): of_products, a condition on product_id.
-- Parameters: tenant, allowed_teams (empty: all), from_day, to_day, as_of, teams, access (empty:
--   all), and user_filter, whether user_ids is a filter.
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
            if(is_open, toInt64(0), 1 - toUnixTimestamp64Milli(closed_at)),
            indexOf(['direct', 'group', 'default'], assignment),
            `group`
        )
    ) AS path
FROM
(
    SELECT
        team_id,
        user_id,
        product_id,
        access,
        assignment,
        `group`,
        -- Only changes that change something: they open and close in turn.
        arrayFilter(
            (change, before) -> change.3 != before,
            arraySort(groupArray((at, version, assigned))) AS changes,
            arrayPushFront(arrayPopBack(changes.3), false)
        ) AS turns,
        toBool(length(turns) % 2 = 1) AS is_open,
        turns[if(is_open, -1, -2)].1 AS opened_at,
        if(is_open, toDateTime64(0, 3, 'UTC'), turns[-1].1) AS closed_at,
        arrayExists(
            (turn, number) -> number % 2 = 1
                AND turn.1 < toDateTime64({to_day:Date} + 1, 3, 'UTC')
                AND
                (
                    number = length(turns)
                    OR (turns[number + 1].1 > toDateTime64({from_day:Date}, 3, 'UTC') AND turns[number + 1].1 > turn.1)
                ),
            turns,
            arrayEnumerate(turns)
        ) AS in_range
    FROM
    (
        SELECT
            team_id, user_id, product_id, toString(access) AS access,
            toString(assignment) AS assignment, `group`, at, version, assigned
        FROM seat_changes FINAL
        WHERE tenant = {tenant:String}
            AND NOT deleted
            AND at <= {as_of:DateTime64(3, 'UTC')}
            AND (empty({allowed_teams:Array(String)}) OR has({allowed_teams:Array(String)}, team_id))
            AND (empty({teams:Array(String)}) OR has({teams:Array(String)}, team_id))
            AND (empty({access:Array(String)}) OR has({access:Array(String)}, access))
            AND ({user_filter:Bool} = false OR user_id IN {user_ids:Array(String)})
            AND ($of_products)
    )
    GROUP BY team_id, user_id, product_id, access, assignment, `group`
    HAVING notEmpty(turns)
)
GROUP BY team_id, user_id, product_id, access

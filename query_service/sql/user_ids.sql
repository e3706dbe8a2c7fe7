-- Purpose: the users that hashed ids stand for, wherever they are known from. Gathered before they
--   are hashed, or the engine would hash every row.
-- Slots (SQL from files): hashed.
-- Parameters: tenant, hashes.
-- Columns: user_id.
SELECT
    arrayJoin(
        arrayFilter(
            user_id -> has(
                {hashes:Array(String)},
                $hashed
            ),
            user_ids
        )
    ) AS user_id
FROM
(
    SELECT groupUniqArray(user_id) AS user_ids
    FROM
    (
        SELECT user_id FROM usage_daily FINAL
        WHERE tenant = {tenant:String} AND (launches > 0 OR tokens > 0)
        UNION ALL
        SELECT user_id FROM seat_changes FINAL WHERE tenant = {tenant:String}
        UNION ALL
        SELECT user_id FROM users FINAL WHERE tenant = {tenant:String}
        UNION ALL
        SELECT user_id FROM team_members FINAL WHERE tenant = {tenant:String}
    )
)

-- Purpose: how much of a user is stored above what is folded: it will be delivered again.
-- Parameters: tenant, user_id.
-- Columns: rows.
SELECT count() AS rows
FROM
(
    SELECT partition, position
    FROM usage_events FINAL
    WHERE tenant = {tenant:String} AND user_id = {user_id:String}
    UNION ALL
    SELECT partition, position
    FROM usage_daily FINAL
    WHERE tenant = {tenant:String} AND user_id = {user_id:String}
) AS stored
LEFT JOIN
(
    SELECT partition, max(position) AS folded FROM progress GROUP BY partition
) AS known ON known.partition = stored.partition
WHERE stored.position > known.folded

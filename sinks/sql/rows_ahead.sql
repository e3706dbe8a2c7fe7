-- Purpose: rows that no fold wrote: above their events, and above all that is folded of their
--   partition. Records to come would pass for records that are in them.
-- Parameters: tenants and users (empty: all), from_day, to_day: one month at most.
-- Columns: tenant, user_id, product_id, product_version, team_id, access, day.
SELECT
    tenant, user_id, product_id, product_version, team_id, access, day
FROM
(
    SELECT
        tenant, user_id, product_id, product_version, team_id, access, day,
        partition AS side_partition, position AS of_row, toUInt64(0) AS of_events
    FROM usage_daily FINAL
    WHERE day BETWEEN {from_day:Date} AND {to_day:Date}
        AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
        AND (empty({users:Array(String)}) OR user_id IN {users:Array(String)})
    UNION ALL
    SELECT
        tenant, user_id, product_id, product_version, team_id, access, day,
        argMax(partition, position), toUInt64(0), max(position)
    FROM usage_events FINAL
    WHERE day BETWEEN {from_day:Date} AND {to_day:Date}
        AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
        AND (empty({users:Array(String)}) OR user_id IN {users:Array(String)})
    GROUP BY tenant, user_id, product_id, product_version, team_id, access, day
) AS sides
LEFT JOIN
(
    SELECT partition, max(position) AS folded FROM progress GROUP BY partition
) AS known ON known.partition = sides.side_partition
GROUP BY tenant, user_id, product_id, product_version, team_id, access, day
HAVING max(of_row) > greatest(max(of_events), max(folded))
ORDER BY ALL
SETTINGS max_bytes_before_external_group_by = 1073741824

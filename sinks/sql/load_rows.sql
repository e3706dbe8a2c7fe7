-- Purpose: the rows of some user-days, for the worker to go on with (rule 3: rows first).
-- Parameters: keys Array(Tuple(String, String, Date)): tenant, user_id, day.
-- Columns: tenant, user_id, day, product_id, product_version, team_id, access, launches,
--   tokens in units of 0.0001, first_at and last_at in milliseconds, position.
-- The keys in a subquery: a list above 1 MiB is no constant to the engine, and IN takes minutes.
SELECT
    tenant, user_id, day, product_id, product_version, team_id, access,
    launches,
    toInt128(tokens * 10000),
    toUnixTimestamp64Milli(first_at),
    toUnixTimestamp64Milli(last_at),
    position
FROM usage_daily FINAL
WHERE (tenant, user_id) IN (
        SELECT DISTINCT key.1, key.2 FROM (SELECT arrayJoin({keys:Array(Tuple(String, String, Date))}) AS key)
    )
    AND (tenant, user_id, day) IN (SELECT arrayJoin({keys:Array(Tuple(String, String, Date))}))
SETTINGS do_not_merge_across_partitions_select_final = 1

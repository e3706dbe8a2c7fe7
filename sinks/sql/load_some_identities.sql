-- Purpose: some identities of user-days that have too many to hold them all.
-- Parameters: keys Array(Tuple(String, String, Date, String, String)): tenant, user_id, day,
--   source, id.
-- Columns: as load_identities.
-- The keys in a subquery: a list above 1 MiB is no constant to the engine, and IN takes minutes.
SELECT
    tenant, user_id, day,
    concat(toString(length(source)), ':', source, id),
    position,
    seq
FROM usage_events FINAL
WHERE (tenant, user_id, day, source, id) IN (SELECT arrayJoin({keys:Array(Tuple(String, String, Date, String, String))}))
SETTINGS do_not_merge_across_partitions_select_final = 1

-- Purpose: some identities of user-days that have too many to hold them all.
-- Parameters: keys Array(Tuple(String, String, Date, String, String)): tenant, user_id, day,
--   source, id.
-- Columns: as load_identities.
SELECT
    tenant, user_id, day,
    concat(toString(length(source)), ':', source, id),
    position,
    seq
FROM usage_events FINAL
WHERE (tenant, user_id, day, source, id) IN ({keys:Array(Tuple(String, String, Date, String, String))})
SETTINGS do_not_merge_across_partitions_select_final = 1

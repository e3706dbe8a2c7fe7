-- Purpose: the identities of some user-days with the smallest stamp of each (rule 3: second).
-- Parameters: keys Array(Tuple(String, String, Date)): tenant, user_id, day;
--   limit UInt32: at most so many of a user-day, so that more than are held can be told.
-- Columns: tenant, user_id, day, identity (as aggregators.decode makes it), position, seq.
-- The keys in a subquery: a list above 1 MiB is no constant to the engine, and IN takes minutes.
SELECT
    tenant, user_id, day,
    concat(toString(length(source)), ':', source, id),
    position,
    seq
FROM usage_events FINAL
WHERE (tenant, user_id, day) IN (SELECT arrayJoin({keys:Array(Tuple(String, String, Date))}))
LIMIT {limit:UInt32} BY tenant, user_id, day
SETTINGS do_not_merge_across_partitions_select_final = 1

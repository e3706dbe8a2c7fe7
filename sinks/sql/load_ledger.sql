-- Purpose: rows of the ledger, for the worker to go on with.
-- Parameters: keys Array(Tuple(String, Date, UInt16)): tenant, received_day, partition.
-- Columns: tenant, received_day, partition, accepted, stored, duplicate, dead, counted, position.
-- The keys in a subquery: a list above 1 MiB is no constant to the engine, and IN takes minutes.
SELECT tenant, received_day, partition, accepted, stored, duplicate, dead, counted, position
FROM usage_ledger FINAL
WHERE (tenant, received_day, partition) IN (SELECT arrayJoin({keys:Array(Tuple(String, Date, UInt16))}))
SETTINGS do_not_merge_across_partitions_select_final = 1

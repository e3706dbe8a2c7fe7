-- Purpose: for how long the files of a part that a merge or a mutation has replaced may stay: as
--   long as they are kept on purpose, and until the engine next looks.
-- Columns: seconds.
SELECT sum(toUInt32(value)) AS seconds
FROM system.merge_tree_settings
WHERE name IN ('old_parts_lifetime', 'max_cleanup_delay_period', 'cleanup_delay_period_random_add')

-- Purpose: whether the tables are those of one node or of a cluster, as the store itself says.
-- Columns: name, engine, engine_full: of what stands under the name of a sharded table, and of the table
--   below it where there is one.
SELECT name, engine, engine_full
FROM system.tables
WHERE database = currentDatabase() AND name IN ('usage_events', 'usage_events_local')
ORDER BY name

-- Purpose: how the table of events was made: its engine, its keys, its TTL. On a cluster the one
--   below the Distributed table has them.
-- Columns: engine_full.
SELECT engine_full
FROM system.tables
WHERE database = currentDatabase()
    AND name IN ('usage_events', 'usage_events_local')
    AND engine != 'Distributed'

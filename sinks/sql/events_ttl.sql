-- Purpose: how the table of events was made: its engine, its keys, its TTL.
-- Columns: engine_full.
SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'usage_events'

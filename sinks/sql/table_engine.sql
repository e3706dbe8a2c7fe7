-- Purpose: how a table was made: its engine, its keys, its TTL.
-- Parameters: table.
-- Columns: engine_full.
SELECT engine_full
FROM system.tables
WHERE database = currentDatabase() AND name = {table:String}

-- Purpose: which migrations were applied.
-- Columns: name, checksum.
SELECT name, checksum FROM schema_migrations FINAL

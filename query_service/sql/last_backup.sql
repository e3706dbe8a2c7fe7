-- Purpose: since when there is no newer backup: when the newest whole one was begun or, where there
--   is none, when the store was made.
-- Columns: taken_at: seconds since 1970.
SELECT
    toUnixTimestamp(greatest(
        (SELECT toDateTime(max(taken_at)) FROM backups FINAL),
        (SELECT min(applied_at) FROM schema_migrations FINAL)
    )) AS taken_at

-- Purpose: when the newest whole backup was begun.
-- Columns: taken_at: seconds since 1970, 0 when there never was one.
SELECT toFloat64(max(backups.taken_at)) AS taken_at FROM backups FINAL

-- Purpose: the disks of the store.
-- Columns: name, free and size in bytes.
SELECT name, free_space AS free, total_space AS size
FROM system.disks
WHERE total_space > 0

-- Purpose: how far each life of the log was seen to reach, and how far it was folded.
-- Columns: epoch, partition, seen_end, folded (both the next offset).
SELECT epoch, partition, max(seen_end), max(folded)
FROM log_ends
GROUP BY epoch, partition
ORDER BY epoch, partition

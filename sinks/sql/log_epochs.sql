-- Purpose: the lives of the log.
-- Columns: topic_id, partition, first_offset, partitions, epoch.
SELECT topic_id, partition, first_offset, partitions, epoch
FROM log_epochs FINAL
ORDER BY epoch, partition

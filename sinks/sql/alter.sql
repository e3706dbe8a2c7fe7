-- Purpose: the clustered form of a change that replicas take over from each other.
-- Slots (from the migration): table, change.
ALTER TABLE $table $change

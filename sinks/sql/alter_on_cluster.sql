-- Purpose: the clustered form of a migration's ALTER TABLE.
-- Slots (from the migration): table, cluster, change.
ALTER TABLE $table ON CLUSTER $cluster $change

-- Purpose: the clustered form of a migration's CREATE TABLE. A block that is written again must be
--   stored again: what the first one stored may be gone since (a row that was deleted, a restore),
--   and replacing tables need no help against doubles.
-- Slots (from the migration): table, cluster, columns, engine, place, replica, version, rest.
CREATE TABLE IF NOT EXISTS $table ON CLUSTER $cluster
$columns
ENGINE = Replicated$engine('$place', '$replica'$version)
$rest
SETTINGS replicated_deduplication_window = 0

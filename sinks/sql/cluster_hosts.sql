-- Purpose: a cluster as this node knows it, and where this client is.
-- Parameters: cluster String.
-- Columns: hosts (0: no such cluster); replicates_itself, whether no shard leaves the copies to
--   whoever writes; database.
SELECT
    count() AS hosts,
    min(internal_replication) = 1 AS replicates_itself,
    currentDatabase() AS database
FROM system.clusters
WHERE cluster = {cluster:String}

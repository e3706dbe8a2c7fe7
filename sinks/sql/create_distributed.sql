-- Purpose: the table that all SQL uses, over the parts of a sharded one.
-- Slots (names): table, cluster, database, below, sharding.
CREATE TABLE IF NOT EXISTS $table ON CLUSTER $cluster AS $below
ENGINE = Distributed('$cluster', '$database', '$below', $sharding)

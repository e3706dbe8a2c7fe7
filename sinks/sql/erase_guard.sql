-- Purpose: from now on nothing of a user up to here is counted again: one row for each partition
--   that anything is folded of, all of them in one block.
-- Parameters: tenant, user_hash, erasure.
INSERT INTO erased (tenant, user_hash, partition, position, erasure, erased_at)
SELECT
    {tenant:String}, {user_hash:String}, partition, max(position), {erasure:String},
    now64(3, 'UTC')
FROM progress
GROUP BY partition
SETTINGS insert_deduplicate = 0

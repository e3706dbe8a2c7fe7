-- Purpose: copy a user's rows under a pseudonym, each at its own position.
-- Parameters: tenant, user_id, pseudonym.
INSERT INTO usage_daily
(
    tenant, user_id, product_id, product_version, team_id, access, day,
    launches, tokens, first_at, last_at, partition, position, fold_version
)
SELECT
    tenant, {pseudonym:String}, product_id, product_version, team_id, access, day,
    launches, tokens, first_at, last_at, partition, position, fold_version
FROM usage_daily FINAL
WHERE tenant = {tenant:String} AND user_id = {user_id:String}
SETTINGS max_partitions_per_insert_block = 0, insert_deduplicate = 0

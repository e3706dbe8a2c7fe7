-- Purpose: copy a user's events under a pseudonym, each at its own place, with nothing but a keyed
--   hash of what its sender called it. Copied again, they are the same ones.
-- Parameters: tenant, user_id, pseudonym, salt.
INSERT INTO usage_events
(
    tenant, user_id, day, source, id, type, time, received_at, team_id, product_id, access, tokens,
    product_version, session_id, feature_id, cost_center, partition, position, seq
)
SELECT
    tenant,
    {pseudonym:String},
    day,
    'erased',
    lower(hex(HMAC('SHA256', concat(toString(length(source)), ':', source, id), {salt:String}))),
    type, time, received_at, team_id, product_id, access, tokens, product_version,
    if(empty(session_id), '', lower(hex(HMAC('SHA256', session_id, {salt:String})))),
    feature_id, cost_center, partition, position, seq
FROM usage_events FINAL
WHERE tenant = {tenant:String} AND user_id = {user_id:String}
SETTINGS max_partitions_per_insert_block = 0, insert_deduplicate = 0

-- Purpose: copy the past of a user's seats under a pseudonym, so that reports about it stay as they
--   are. What was to change in the future is left out. What was deleted since an erasure that broke
--   off is deleted in its copy too.
-- Parameters: tenant, user_id, pseudonym; now_ms Int64.
INSERT INTO seat_changes
(
    tenant, user_id, product_id, team_id, access, at, assignment, `group`, request_id, assigned,
    actor, deleted, version
)
SELECT
    tenant, {pseudonym:String}, product_id, team_id, access, at, assignment, `group`, request_id,
    assigned, actor, deleted, version
FROM seat_changes FINAL
WHERE tenant = {tenant:String}
    AND user_id = {user_id:String}
    AND at <= fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC')
SETTINGS insert_deduplicate = 0

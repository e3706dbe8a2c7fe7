-- Purpose: the recorded requests whose plan may name a user.
-- Parameters: tenant, named (the user id as the plan writes it).
-- Columns: request_id, kind, body_hash, plan, actor, at, version.
SELECT request_id, toString(kind) AS kind, body_hash, plan, actor, at, version
FROM change_requests FINAL
WHERE tenant = {tenant:String} AND position(plan, {named:String}) > 0

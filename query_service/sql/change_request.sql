-- Purpose: what was asked under a request id, and what was decided.
-- Parameters: tenant, request_id.
-- Columns: kind, body_hash, plan, actor, version.
SELECT toString(kind) AS kind, body_hash, plan, actor, version
FROM change_requests FINAL
WHERE tenant = {tenant:String} AND request_id = {request_id:String}

-- Purpose: a page of the dead letters that may name a user: as bytes, or behind an escape of JSON.
-- Parameters: tenant, user_id, escaped (the user id as JSON in ASCII writes it), after_tenant and
--   after_origin (the letter before the page), limit.
-- Columns: tenant, origin, detail, raw in base64.
SELECT tenant, origin, detail, base64Encode(letter.raw) AS raw
FROM dead_letters AS letter FINAL
WHERE tenant IN ('', {tenant:String})
    AND (tenant, origin) > ({after_tenant:String}, {after_origin:String})
    AND (
        position(letter.raw, {user_id:String}) > 0
        OR position(letter.raw, {escaped:String}) > 0
        OR position(letter.raw, '\\') > 0
        OR position(detail, {user_id:String}) > 0
    )
ORDER BY tenant, origin
LIMIT {limit:UInt32}

-- Purpose: the users that hashed ids stand for.
-- Parameters: tenant, hashes.
-- Columns: user_id.
SELECT user_id
FROM usage_daily FINAL
WHERE tenant = {tenant:String}
GROUP BY user_id
HAVING has(
    {hashes:Array(String)},
    lower(left(hex(HMAC('SHA256', user_id, assumeNotNull((SELECT unhex(secret) FROM tenants FINAL WHERE tenant = {tenant:String})))), 40))
)

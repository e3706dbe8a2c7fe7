-- Purpose: the chosen rows as they are, one for each (team, user, product, access).
-- Parameters: those of chosen.sql.
-- Columns: the report's, user_id.
SELECT
    *,
    lower(left(hex(HMAC('SHA256', user_id, assumeNotNull((SELECT unhex(secret) FROM tenants FINAL WHERE tenant = {tenant:String})))), 40)) AS hashed_user_id
FROM chosen

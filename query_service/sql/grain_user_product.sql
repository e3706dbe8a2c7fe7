-- Purpose: the chosen rows as they are, one for each (team, user, product, access).
-- Parameters: those of user_product_rows.sql.
-- Columns: the report's, user_id.
SELECT
    *,
    team_id AS team,
    product_id AS product,
    lower(left(hex(HMAC('SHA256', user_id, assumeNotNull((SELECT unhex(secret) FROM tenants FINAL WHERE tenant = {tenant:String})))), 40)) AS hashed_user_id
FROM chosen

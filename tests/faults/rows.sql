-- Purpose: every folded row of a tenant, for the oracle.
-- Parameters: tenant String.
-- Columns: user_id, product_id, product_version, team_id, access, day, tokens.
SELECT user_id, product_id, product_version, team_id, access, toString(day), tokens
FROM usage_daily FINAL
WHERE tenant = {tenant:String}

-- Purpose: the row that an event was counted in.
-- Parameters: tenant, user_id, product_id, product_version, team_id, access, day.
-- Columns: those of usage_daily but tenant and user_id.
SELECT
    product_id, product_version, team_id, access, day,
    launches, tokens, first_at, last_at, partition, position, fold_version
FROM usage_daily FINAL
WHERE tenant = {tenant:String}
    AND user_id = {user_id:String}
    AND product_id = {product_id:String}
    AND product_version = {product_version:String}
    AND team_id = {team_id:String}
    AND access = {access:String}
    AND day = {day:Date}
    AND (launches > 0 OR tokens > 0)

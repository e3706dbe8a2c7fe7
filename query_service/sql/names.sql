-- Purpose: the names of the teams and products of the directory.
-- Parameters: tenant, allowed_teams (empty: all).
-- Columns: kind (team, product), id, name.
SELECT 'team' AS kind, team_id AS id, assumeNotNull(name) AS name
FROM teams FINAL
WHERE tenant = {tenant:String}
    AND NOT deleted
    AND notEmpty(ifNull(name, ''))
    AND (empty({allowed_teams:Array(String)}) OR has({allowed_teams:Array(String)}, team_id))
UNION ALL
SELECT 'product', product_id, assumeNotNull(name)
FROM products FINAL
WHERE tenant = {tenant:String} AND NOT deleted AND notEmpty(ifNull(name, ''))

-- Purpose: every team that has ever had usage, or only those that the key may read.
-- Parameters: tenant, allowed_teams (empty: all).
-- Columns: team_id.
SELECT DISTINCT team_id
FROM usage_daily FINAL
WHERE tenant = {tenant:String}
    AND (empty({allowed_teams:Array(String)}) OR has({allowed_teams:Array(String)}, team_id))
ORDER BY team_id

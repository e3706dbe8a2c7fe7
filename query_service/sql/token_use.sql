-- Purpose: tokens that each team of the tenant used on each day; of all teams, like token_packs.sql.
-- Parameters: tenant, as_of_day.
-- Columns: day, team_id, tokens.
SELECT daily.day AS day, daily.team_id AS team_id, sum(daily.tokens) AS tokens
FROM usage_daily AS daily FINAL
WHERE daily.tenant = {tenant:String} AND daily.day <= {as_of_day:Date} AND daily.tokens > 0
GROUP BY day, team_id

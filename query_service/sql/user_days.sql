-- Purpose: a user's launches and tokens in R, by day.
-- Parameters: tenant, allowed_teams (empty: all), user_ids, from_day, to_day.
-- Columns: team_id, product_id, access, day, launches, tokens.
SELECT
    daily.team_id AS team_id,
    daily.product_id AS product_id,
    toString(daily.access) AS access,
    daily.day AS day,
    sum(daily.launches) AS launches,
    sum(daily.tokens) AS tokens
FROM usage_daily AS daily FINAL
WHERE daily.tenant = {tenant:String}
    AND daily.user_id IN {user_ids:Array(String)}
    AND daily.day BETWEEN {from_day:Date} AND {to_day:Date}
    AND (daily.launches > 0 OR daily.tokens > 0)
    AND (empty({allowed_teams:Array(String)}) OR daily.team_id IN {allowed_teams:Array(String)})
GROUP BY team_id, product_id, access, day

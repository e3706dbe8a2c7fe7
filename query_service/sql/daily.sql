-- Purpose: launches, tokens and users of the chosen rows by day, week or month of R.
-- Slots (SQL from files and allow-lists): chosen, start, groups.
-- Parameters: those of chosen.sql.
-- Columns: start, those of groups, launches, tokens_used, users.
WITH
    chosen AS ($chosen)
SELECT
    $start AS start,
    $groups
    sum(daily.launches) AS launches,
    sum(daily.tokens) AS tokens_used,
    uniqExact(daily.user_id) AS users
FROM usage_daily AS daily FINAL
WHERE daily.tenant = {tenant:String}
    AND daily.day BETWEEN {from_day:Date} AND {to_day:Date}
    AND (daily.launches > 0 OR daily.tokens > 0)
    AND (daily.team_id, daily.user_id, daily.product_id, daily.access) IN
    (
        SELECT team_id, user_id, product_id, access
        FROM chosen
        WHERE days_used BETWEEN {days_used_min:Int128} AND {days_used_max:Int128}
            AND tokens_used BETWEEN {tokens_min:Decimal(38, 4)} AND {tokens_max:Decimal(38, 4)}
    )
GROUP BY ALL
ORDER BY ALL

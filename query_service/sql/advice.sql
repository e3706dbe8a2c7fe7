-- Purpose: what is recommended about the chosen rows, and about how many of them.
-- Slots (SQL from files): chosen.
-- Parameters: those of chosen.sql, and the limits of days_used and tokens.
-- Columns: recommendation, seats (of subscriptions), users.
WITH
    chosen AS ($chosen)
SELECT
    recommendation,
    countIf(access = 'subscription') AS seats,
    uniqExact(user_id) AS users
FROM chosen
WHERE isNotNull(recommendation)
    AND days_used BETWEEN {days_used_min:Int128} AND {days_used_max:Int128}
    AND tokens_used BETWEEN {tokens_min:Decimal(38, 4)} AND {tokens_max:Decimal(38, 4)}
GROUP BY recommendation

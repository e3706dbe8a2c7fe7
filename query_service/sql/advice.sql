-- Purpose: what is recommended about the chosen rows, and about how many of them.
-- Slots (SQL from files): chosen.
-- Parameters: those of chosen.sql.
-- Columns: recommendation, seats (of subscriptions), users.
WITH
    chosen AS ($chosen)
SELECT
    recommendation,
    countIf(access = 'subscription') AS seats,
    uniqExact(user_id) AS users
FROM chosen
WHERE isNotNull(recommendation)
GROUP BY recommendation

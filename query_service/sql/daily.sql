-- Purpose: launches, tokens and users of the chosen rows by day, week or month of R.
-- Slots (SQL from files and allow-lists): chosen, start, groups, of_collections.
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
FROM
(
    SELECT team_id, user_id, product_id, toString(usage_daily.access) AS access, day, launches, tokens
    FROM usage_daily FINAL
    WHERE tenant = {tenant:String}
        AND day BETWEEN {from_day:Date} AND {to_day:Date}
        AND (launches > 0 OR tokens > 0)
        AND (team_id, user_id, product_id, access) IN
        (
            SELECT team_id, user_id, product_id, access FROM chosen
        )
    $of_collections
) AS daily
GROUP BY ALL
ORDER BY ALL

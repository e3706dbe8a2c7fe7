-- Purpose: further lines of daily.sql: on the days that a collection has of its members it has
--   users, but no launches and no tokens.
-- Slots (SQL from files): used_days.
-- Parameters: tenant, from_day.
-- Columns: the key, day, launches, tokens.
UNION ALL
SELECT team_id, user_id, product_id, access, arrayJoin($used_days), 0, 0
FROM chosen
WHERE access = 'subscription' AND product_id IN
(
    SELECT product_id
    FROM products FINAL
    WHERE tenant = {tenant:String} AND kind = 'collection' AND NOT deleted
)

-- Purpose: the chosen rows, gathered by user.
-- Slots (SQL from files): hashed.
-- Parameters: those of chosen.sql.
-- Columns: the report's, user_id.
SELECT
    user_id,
    any(chosen.first_name) AS first_name,
    any(chosen.last_name) AS last_name,
    any(chosen.email) AS email,
    $hashed AS hashed_user_id,
    toInt64(bitCount(groupBitOr(chosen.early_days)) + bitCount(groupBitOr(chosen.late_days))) AS days_used,
    sum(chosen.launches) AS launches,
    sum(chosen.tokens_used) AS tokens_used,
    max(chosen.last_accessed) AS last_accessed,
    toUInt64(1) AS users,
    uniqExact(chosen.product_id) AS products
FROM chosen
GROUP BY user_id

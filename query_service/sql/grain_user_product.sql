-- Purpose: the chosen rows as they are, one for each (team, user, product, access).
-- Slots (SQL from files): hashed, used_days.
-- Parameters: those of chosen.sql.
-- Columns: the report's, user_id, days (those used).
SELECT
    *,
    $hashed AS hashed_user_id,
    $used_days AS days
FROM chosen

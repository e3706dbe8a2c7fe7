-- Purpose: the chosen rows as they are, one for each (team, user, product, access).
-- Slots (SQL from files): hashed.
-- Parameters: those of chosen.sql.
-- Columns: the report's, user_id.
SELECT
    *,
    $hashed AS hashed_user_id
FROM chosen

-- Purpose: no names, in the place of people_shown.sql.
-- Columns: user_id, first_name, last_name, email.
SELECT
    '' AS user_id,
    CAST(NULL AS Nullable(String)) AS first_name,
    CAST(NULL AS Nullable(String)) AS last_name,
    CAST(NULL AS Nullable(String)) AS email
WHERE false

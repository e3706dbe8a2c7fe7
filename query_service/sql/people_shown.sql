-- Purpose: the names of users where personal data is shown.
-- Parameters: tenant.
-- Columns: user_id, first_name, last_name, email.
SELECT
    user_id,
    nullIf(first_name, '') AS first_name,
    nullIf(last_name, '') AS last_name,
    nullIf(email, '') AS email
FROM users FINAL
WHERE tenant = {tenant:String} AND NOT deleted

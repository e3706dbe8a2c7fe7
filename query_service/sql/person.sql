-- Purpose: the name of a user, where personal data is shown.
-- Slots (SQL from files): people.
-- Parameters: tenant, user_ids.
-- Columns: first_name, last_name, email.
SELECT first_name, last_name, email
FROM ($people)
WHERE user_id IN {user_ids:Array(String)}

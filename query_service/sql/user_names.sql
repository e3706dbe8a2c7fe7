-- Purpose: the names of some users, where personal data is shown.
-- Slots (SQL from files): people.
-- Parameters: tenant, user_ids.
-- Columns: user_id, first_name, last_name, email.
SELECT user_id, first_name, last_name, email
FROM ($people)
WHERE user_id IN {user_ids:Array(String)}

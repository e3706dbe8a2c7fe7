-- Purpose: the names of some users, where personal data is shown.
-- Slots (SQL from files): people.
-- Parameters: tenant, user_ids.
-- Columns: user_id, first_name, last_name, email.
-- The keys in a subquery: a list above 1 MiB is no constant to the engine, and IN takes minutes.
SELECT user_id, first_name, last_name, email
FROM ($people)
WHERE user_id IN (SELECT arrayJoin({user_ids:Array(String)}))

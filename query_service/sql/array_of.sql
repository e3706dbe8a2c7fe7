-- Purpose: the answer to a question as one array, for a slot of together.sql.
-- Slots (SQL from files): question, and called, the name it gets.
-- Columns: the one of that name, an array of named tuples.
(SELECT groupArray(tuple(*)) AS $called FROM ($question)) AS ${called}_asked

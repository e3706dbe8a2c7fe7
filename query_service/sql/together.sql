-- Purpose: several questions about the same rows, which are read once for all of them.
-- Slots (SQL from files): every, the rows; names, those of the questions; questions, each as an
--   array of its rows.
-- Parameters: those of the slots.
-- Columns: one for each question, an array of named tuples.
WITH
    every AS MATERIALIZED ($every)
SELECT $names
FROM $questions
SETTINGS enable_materialized_cte = 1, enable_named_columns_in_function_tuple = 1

-- Purpose: those rows that the filters choose out of all that together.sql has read.
-- Slots (SQL from files and allow-lists): filters.
-- Parameters: those of the filters.
-- Columns: those of chosen.sql.
SELECT *
FROM every
WHERE $filters

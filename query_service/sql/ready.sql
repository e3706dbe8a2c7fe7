-- Purpose: whether the store answers and has its tables.
-- Columns: keys.
SELECT count() AS keys FROM keys FINAL

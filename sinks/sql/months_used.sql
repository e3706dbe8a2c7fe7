-- Purpose: the months that have rows or events.
-- Columns: month, its first day.
SELECT DISTINCT toStartOfMonth(day) AS month FROM usage_daily FINAL
UNION DISTINCT
SELECT DISTINCT toStartOfMonth(day) AS month FROM usage_events FINAL

-- Purpose: every attempt that has rows.
-- Columns: attempt.
SELECT DISTINCT toUInt64OrZero(partition) AS attempt
FROM system.parts
WHERE database = currentDatabase() AND table = 'usage_monthly' AND active

-- Purpose: drop the rows of an attempt.
-- Parameters: attempt.
ALTER TABLE usage_monthly DROP PARTITION {attempt:UInt64}

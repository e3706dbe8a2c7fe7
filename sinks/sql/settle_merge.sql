-- Purpose: make the rows of an attempt one part, which FINAL reads as fast as if it were not said.
-- Parameters: attempt.
OPTIMIZE TABLE usage_monthly PARTITION {attempt:UInt64} FINAL

-- Purpose: by how many events the books of all tenants are off: what the records said they hold
--   against what was folded out of them, and what was stored against what is there.
-- Columns: difference.
SELECT abs(toInt64(sum(counted)) - toInt64(sum(accepted)) - toInt64(sum(dead)))
    + abs(toInt64(sum(stored)) - toInt64((SELECT count() FROM usage_events FINAL)))
FROM usage_ledger FINAL

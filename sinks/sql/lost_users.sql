-- Purpose: whose events were stored out of records that are gone, without a progress past them:
--   a worker died between their events and their rows.
-- Parameters: partitions Array(UInt16), folded and starts Array(UInt64) beside them: positions
--   above the one and below the other are lost.
-- Columns: tenant, user_id.
SELECT DISTINCT tenant, user_id
FROM usage_events FINAL
WHERE has({partitions:Array(UInt16)}, partition)
    AND position > {folded:Array(UInt64)}[indexOf({partitions:Array(UInt16)}, partition)]
    AND position < {starts:Array(UInt64)}[indexOf({partitions:Array(UInt16)}, partition)]
ORDER BY tenant, user_id

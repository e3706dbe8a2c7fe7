-- Purpose: how long events are kept, as the table itself says, and the day by ClickHouse's clock.
-- Columns: today; expires, whether they are deleted at all; days after which they are, 0 where
--   that can't be read.
SELECT
    toDate(now64(3, 'UTC')) AS today,
    position(engine_full, ' TTL ') > 0 AS expires,
    toUInt32OrZero(extract(engine_full, ' TTL day \\+ toIntervalDay\\((\\d+)\\)')) AS days
FROM system.tables
WHERE database = currentDatabase()
    -- On a cluster the table below the Distributed one has the TTL.
    AND name IN ('usage_events', 'usage_events_local')
    AND engine != 'Distributed'

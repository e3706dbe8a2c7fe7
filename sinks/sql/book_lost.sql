-- Purpose: book the events that were stored out of records that are gone, and that no row of the
--   ledger holds yet. What else these records held nobody knows.
-- Parameters: partitions Array(UInt16), starts Array(UInt64) beside them: positions from these on
--   are not lost; fold_version UInt16.
INSERT INTO usage_ledger
(
    tenant, received_day, partition, accepted, stored, duplicate, dead, counted, position,
    fold_version
)
SELECT
    event.tenant,
    event.received_day,
    event.partition,
    any(book.accepted) + if(event.tenant = '', 0, count()),
    any(book.stored) + if(event.tenant = '', 0, count()),
    any(book.duplicate),
    any(book.dead),
    any(book.counted) + if(event.tenant = '', count(), 0),
    max(event.position),
    {fold_version:UInt16}
FROM
(
    -- What the records' headers counted is booked under no tenant, by the day of the records.
    SELECT arrayJoin(['', tenant]) AS tenant, toDate(received_at) AS received_day, partition, position
    FROM (SELECT tenant, received_at, partition, position FROM usage_events FINAL)
    WHERE has({partitions:Array(UInt16)}, partition)
        AND position < {starts:Array(UInt64)}[indexOf({partitions:Array(UInt16)}, partition)]
) AS event
LEFT JOIN
(
    SELECT * FROM usage_ledger FINAL
) AS book
    ON book.tenant = event.tenant
    AND book.received_day = event.received_day
    AND book.partition = event.partition
LEFT JOIN
(
    SELECT partition, max(position) AS position FROM usage_ledger FINAL WHERE tenant = '' GROUP BY partition
) AS counted ON counted.partition = event.partition
WHERE event.position > if(event.tenant = '', counted.position, book.position)
GROUP BY event.tenant, event.received_day, event.partition

-- Purpose: whether the books balance, over all tenants and days: events that the records said they
--   hold and that are neither accepted nor dead, and accepted ones that are neither stored nor
--   duplicates, or the other way round. 0 but for a moment while a batch is stored.
-- Columns: difference.
SELECT
    sum(
        abs(toInt64(booked.counted) - toInt64(booked.accepted) - toInt64(booked.dead))
        + abs(toInt64(booked.accepted) - toInt64(booked.stored) - toInt64(booked.duplicate))
    ) AS difference
FROM
(
    SELECT
        partition,
        sum(book.counted) AS counted,
        sum(book.accepted) AS accepted,
        sum(book.stored) AS stored,
        sum(book.duplicate) AS duplicate,
        sum(book.dead) AS dead
    FROM usage_ledger AS book FINAL
    GROUP BY partition
) AS booked

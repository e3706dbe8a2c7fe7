-- Purpose: the operator's books over all tenants: what the records said they hold (counted), what
--   was folded out of them, and what is stored. Events are kept for their retention only.
-- Parameters: from_day Date.
-- Columns: partition, counted, accepted, stored, duplicate, dead, found.
SELECT
    partition,
    sum(booked.counted) AS counted,
    sum(booked.accepted) AS accepted,
    sum(booked.stored) AS stored,
    sum(booked.duplicate) AS duplicate,
    sum(booked.dead) AS dead,
    sum(booked.found) AS found
FROM
(
    SELECT partition, counted, accepted, stored, duplicate, dead, toUInt64(0) AS found
    FROM usage_ledger FINAL
    WHERE received_day >= {from_day:Date}
    UNION ALL
    SELECT partition, 0, 0, 0, 0, 0, count() AS found
    FROM usage_events FINAL
    WHERE toDate(received_at) >= {from_day:Date}
    GROUP BY partition
) AS booked
GROUP BY partition
ORDER BY partition

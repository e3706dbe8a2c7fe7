-- Purpose: the books by the day of receipt, and the events that are really stored beside them.
--   Dead lines have no tenant and are not among the accepted ones.
-- Parameters: tenant, from_day, to_day.
-- Columns: received_day, accepted, stored, duplicate, dead, difference.
SELECT
    received_day,
    sum(booked.accepted) AS accepted,
    sum(booked.stored) AS stored,
    sum(booked.duplicate) AS duplicate,
    sum(booked.dead) AS dead,
    toInt64(accepted) - toInt64(duplicate) - toInt64(sum(booked.found)) AS difference
FROM
(
    SELECT received_day, accepted, stored, duplicate, dead, toUInt64(0) AS found
    FROM usage_ledger FINAL
    WHERE tenant = {tenant:String} AND received_day BETWEEN {from_day:Date} AND {to_day:Date}
    UNION ALL
    SELECT toDate(received_at) AS received_day, 0, 0, 0, 0, count() AS found
    FROM usage_events FINAL
    WHERE tenant = {tenant:String}
        AND toDate(received_at) BETWEEN {from_day:Date} AND {to_day:Date}
    GROUP BY received_day
) AS booked
GROUP BY received_day
ORDER BY received_day

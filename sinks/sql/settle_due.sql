-- Purpose: the months to settle: over, not written to for a while, and not settled; the newest
--   first, because most reports are about them.
-- Slots (SQL from files): parts_of_months.
-- Parameters: this_month (202602), quiet_seconds, settled (months), mark_seconds.
-- Columns: month, parts, mark_until (Unix time; an attempt that takes longer does not count).
SELECT month, parts, toUnixTimestamp(now()) + {mark_seconds:UInt32} AS mark_until
FROM ($parts_of_months)
WHERE month < {this_month:UInt32}
    AND changed_at <= now() - toIntervalSecond({quiet_seconds:UInt32})
    AND month NOT IN {settled:Array(UInt32)}
ORDER BY month DESC

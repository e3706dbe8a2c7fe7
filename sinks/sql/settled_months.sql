-- Purpose: the months that may be read from usage_monthly now, each from one attempt: usage_daily
--   consists of the parts that it was made from, and all its rows are there.
-- Slots (SQL from files): parts_of_months.
-- Parameters: usable_seconds.
-- Columns: month, attempt, usable_until (Unix time; a question that begins later must look again).
SELECT
    marked.month AS month,
    argMin(marked.attempt, (marked.made_at, marked.attempt)) AS attempt,
    toUnixTimestamp(now()) + {usable_seconds:UInt32} AS usable_until
FROM settled_months AS marked FINAL
WHERE (marked.month, marked.parts) IN (SELECT month, parts FROM ($parts_of_months))
    AND
    (
        marked.rows = 0
        OR (toString(marked.attempt), marked.rows) IN
        (
            SELECT partition, sum(rows)
            FROM system.parts
            WHERE database = currentDatabase() AND table = 'usage_monthly' AND active
            GROUP BY partition
        )
    )
GROUP BY month
ORDER BY month

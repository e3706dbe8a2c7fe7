-- Purpose: let an attempt count: if its rows add up to what the days do now, none twice, and the
--   month still consists of the parts that it did before the attempt.
-- Slots (SQL from files): parts_of_months, month_added_up.
-- Parameters: month, parts, attempt, mark_until.
INSERT INTO settled_months (month, parts, attempt, rows, made_at)
SELECT {month:UInt32}, {parts:String}, {attempt:UInt64}, made.rows, now64(3, 'UTC')
FROM
(
    SELECT count() AS rows, sum(launches) AS launches, sum(tokens) AS tokens, sum(bitCount(days)) AS days
    FROM usage_monthly FINAL
    WHERE attempt = {attempt:UInt64}
) AS made
CROSS JOIN
(
    SELECT count() AS rows, sum(launches) AS launches, sum(tokens) AS tokens, sum(bitCount(days)) AS days
    FROM ($month_added_up)
) AS due
WHERE toUnixTimestamp(now()) <= {mark_until:UInt64}
    AND made.rows = due.rows
    AND made.launches = due.launches
    AND made.tokens = due.tokens
    AND made.days = due.days
    AND made.rows =
    (
        SELECT sum(rows)
        FROM system.parts
        WHERE database = currentDatabase()
            AND table = 'usage_monthly'
            AND active
            AND partition = toString({attempt:UInt64})
    )
    AND ({month:UInt32}, {parts:String}) IN (SELECT month, parts FROM ($parts_of_months))

-- Purpose: one page of a report, and the totals over all its rows on each of them, so that both
--   come from one reading.
-- Slots (SQL from files and allow-lists): chosen, grain, columns, count_users, sort_keys, key_names, after,
--   order, limit.
-- Parameters: those of chosen.sql, limit where there is one,
--   and key_0, key_1, ... of the row before the page.
-- Columns: the report's, total_rows, total_users, total_launches, total_tokens, key_0, key_1, ...
WITH
    chosen AS ($chosen),
    grain AS ($grain),
    shown AS
    (
        SELECT
            *,
            toDecimal64(intDiv(20 * toInt128(days_used) * {months_denominator:Int64} + {months_numerator:Int64}, 2 * {months_numerator:Int64}), 1) / 10 AS monthly_average,
            toDecimal128(intDiv(2 * toInt128(tokens_used * 10000) * {months_denominator:Int64} + 100 * {months_numerator:Int64}, 200 * {months_numerator:Int64}), 2) / 100 AS tokens_monthly_average,
            dateDiff('day', toDate(last_accessed), {as_of_day:Date}) AS days_inactive
        FROM grain
        WHERE days_used BETWEEN {days_used_min:Int128} AND {days_used_max:Int128}
            AND tokens_used BETWEEN {tokens_min:Decimal(38, 4)} AND {tokens_max:Decimal(38, 4)}
    )
SELECT
    $columns
    total_rows, total_users, total_launches, total_tokens,
    $key_names
FROM
(
    SELECT
        *,
        count() OVER () AS total_rows,
        $count_users OVER () AS total_users,
        sum(launches) OVER () AS total_launches,
        sum(tokens_used) OVER () AS total_tokens,
        $sort_keys
    FROM shown
)
WHERE $after
ORDER BY $order
$limit

-- Purpose: of each product with prices, the fewest days used in R whose unrounded monthly average
--   reaches B = annual_price / (12 * tokens_per_day * token_price), by the prices then valid.
-- Parameters: tenant, price_day, months_numerator, months_denominator.
-- Columns: product_id, frequent_from, is_known.
SELECT
    product_id,
    toInt64(least(intDiv(year_in_seat + year_in_tokens - 1, year_in_tokens), 1000000000)) AS frequent_from,
    true AS is_known
FROM
(
    SELECT
        product_id,
        -- Whole numbers, so that a fraction is never rounded.
        toInt256(toDecimal256(latest.1, 4) * 100000000) * {months_numerator:Int64} AS year_in_seat,
        12 * toInt256(toDecimal256(latest.2, 4) * 10000) * toInt256(toDecimal256(latest.3, 4) * 10000)
            * {months_denominator:Int64} AS year_in_tokens
    FROM
    (
        SELECT product_id, argMax((annual_price, tokens_per_day, token_price), valid_from) AS latest
        FROM prices FINAL
        WHERE tenant = {tenant:String} AND NOT deleted AND valid_from <= {price_day:Date32}
        GROUP BY product_id
    )
)
WHERE year_in_tokens > 0

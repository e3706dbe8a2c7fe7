-- Purpose: the prices of products that are valid on a day.
-- Parameters: tenant, priced (product ids), price_day.
-- Columns: product_id, valid_from, annual_price, tokens_per_day, token_price, currency.
SELECT
    product_id,
    max(price.valid_from) AS valid_from,
    argMax(price.annual_price, price.valid_from) AS annual_price,
    argMax(price.tokens_per_day, price.valid_from) AS tokens_per_day,
    argMax(price.token_price, price.valid_from) AS token_price,
    argMax(toString(price.currency), price.valid_from) AS currency
FROM prices AS price FINAL
WHERE price.tenant = {tenant:String}
    AND NOT price.deleted
    AND price.product_id IN {priced:Array(String)}
    AND price.valid_from <= {price_day:Date32}
GROUP BY product_id

-- Purpose: a condition that keeps the products asked for, and the members of the collections among
--   them, whose use they take.
-- Parameters: tenant, products.
(
    product_id IN {products:Array(String)}
    OR product_id IN
    (
        SELECT arrayJoin(members)
        FROM products FINAL
        WHERE tenant = {tenant:String}
            AND kind = 'collection'
            AND NOT deleted
            AND product_id IN {products:Array(String)}
    )
)

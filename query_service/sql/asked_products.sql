-- Purpose: a condition that keeps the seats of the products asked for, and of the members of the
--   collections among them.
-- Parameters: tenant, products (empty: all).
empty({products:Array(String)})
    OR has({products:Array(String)}, product_id)
    OR product_id IN
    (
        SELECT arrayJoin(members)
        FROM products FINAL
        WHERE tenant = {tenant:String}
            AND kind = 'collection'
            AND NOT deleted
            AND has({products:Array(String)}, product_id)
    )

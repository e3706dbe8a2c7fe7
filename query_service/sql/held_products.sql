-- Purpose: a condition that keeps the seats of collections.
-- Parameters: tenant.
product_id IN
(
    SELECT product_id
    FROM products FINAL
    WHERE tenant = {tenant:String} AND kind = 'collection' AND NOT deleted
)

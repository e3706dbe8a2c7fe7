-- Purpose: a page of the entries of one entity, in the order of what identifies them.
-- Slots (SQL from files and allow-lists): hashed, columns, sort_keys, table, allowed, filters, after,
--   order.
-- Parameters: tenant, allowed_teams (empty: all), a list for each filter (empty: all), limit, and
--   key_0, key_1, ... of the entry before the page.
-- Columns: the entity's, key_0, key_1, ...
WITH $hashed AS hashed_user_id
SELECT $columns, $sort_keys
FROM $table AS entry FINAL
WHERE tenant = {tenant:String}
    AND NOT deleted
    AND (empty({allowed_teams:Array(String)}) OR $allowed)
    AND ($filters)
    AND ($after)
ORDER BY $order
LIMIT {limit:UInt32}

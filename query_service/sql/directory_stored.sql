-- Purpose: the entries as stored that a request may change, removed ones included: their versions
--   count.
-- Slots (names of an allow-list): columns, table, ids, type.
-- Parameters: tenant, ids.
-- Columns: the entity's, deleted, version.
SELECT $columns, deleted, version
FROM $table AS entry FINAL
WHERE tenant = {tenant:String} AND $ids IN {ids:$type}

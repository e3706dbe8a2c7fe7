-- Purpose: the tenant's audit log, the latest first.
-- Slots (SQL from an allow-list): after.
-- Parameters: tenant, actions and results (each empty: all), from_day, to_day, limit, and key_0 and
--   key_1 of the entry before the page.
-- Columns: those of an entry; the keys of its place.
SELECT
    entry_id, at, action, via, key_id, session, request_id, result, details,
    toInt128(toUnixTimestamp64Milli(at)) AS key_0,
    entry_id AS key_1
FROM audit FINAL
WHERE tenant = {tenant:String}
    AND toDate(at) BETWEEN {from_day:Date} AND {to_day:Date}
    AND (empty({actions:Array(String)}) OR has({actions:Array(String)}, action))
    AND (empty({results:Array(String)}) OR has({results:Array(String)}, result))
    AND ($after)
ORDER BY key_0 DESC, key_1 DESC
LIMIT {limit:UInt32}

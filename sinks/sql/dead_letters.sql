-- Purpose: a page of the dead letters that were not replayed yet, in the order of their keys.
-- Parameters: tenants, reasons and origins (each empty: all), from_day and to_day of receipt,
--   until_milliseconds (received no later), after_tenant and after_origin (the letter before the
--   page), limit.
-- Columns: those of a letter; raw in base64, for it need not be text.
SELECT origin, tenant, reason, detail, key_id, base64Encode(letter.raw) AS raw, received_at
FROM dead_letters AS letter FINAL
WHERE NOT replayed
    AND (empty({tenants:Array(String)}) OR has({tenants:Array(String)}, tenant))
    AND (empty({reasons:Array(String)}) OR has({reasons:Array(String)}, reason))
    AND (empty({origins:Array(String)}) OR has({origins:Array(String)}, origin))
    AND toDate(received_at) BETWEEN {from_day:Date} AND {to_day:Date}
    AND toUnixTimestamp64Milli(received_at) <= {until_milliseconds:Int64}
    AND (tenant, origin) > ({after_tenant:String}, {after_origin:String})
ORDER BY tenant, origin
LIMIT {limit:UInt32}

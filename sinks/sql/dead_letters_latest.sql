-- Purpose: dead letters for an operator, the latest received first.
-- Parameters: tenants, reasons and origins (each empty: all), from_day and to_day of receipt,
--   shown_bytes (how much of each is shown), limit.
-- Columns: those of a letter; its size, whether it is text, and its beginning in base64.
SELECT
    tenant, origin, reason, detail, key_id, received_at, replayed,
    length(raw) AS size_bytes,
    isValidUTF8(raw) AS is_text,
    base64Encode(substring(raw, 1, {shown_bytes:UInt32})) AS beginning
FROM dead_letters FINAL
WHERE (empty({tenants:Array(String)}) OR has({tenants:Array(String)}, tenant))
    AND (empty({reasons:Array(String)}) OR has({reasons:Array(String)}, reason))
    AND (empty({origins:Array(String)}) OR has({origins:Array(String)}, origin))
    AND toDate(received_at) BETWEEN {from_day:Date} AND {to_day:Date}
ORDER BY received_at DESC, tenant, origin DESC
LIMIT {limit:UInt32}

-- Purpose: the tenant's dead letters, the latest received first.
-- Slots (SQL from an allow-list): after.
-- Parameters: tenant, reasons and replayed (each empty: all), from_day, to_day, limit, shown_bytes
--   (how much of each is shown), and key_0 and key_1 of the letter before the page.
-- Columns: those of a letter; its size, whether it is text, its beginning in base64, the team that
--   it names; the keys of its place.
SELECT
    origin, reason, detail, key_id, received_at, replayed,
    length(raw) AS size_bytes,
    isValidUTF8(raw) AS is_text,
    base64Encode(substring(raw, 1, {shown_bytes:UInt32})) AS beginning,
    JSONExtractString(raw, 'data', 'team_id') AS team_id,
    toInt128(toUnixTimestamp64Milli(received_at)) AS key_0,
    origin AS key_1
FROM dead_letters FINAL
WHERE tenant = {tenant:String}
    AND toDate(received_at) BETWEEN {from_day:Date} AND {to_day:Date}
    AND (empty({reasons:Array(String)}) OR has({reasons:Array(String)}, reason))
    AND (empty({replayed:Array(Bool)}) OR has({replayed:Array(Bool)}, replayed))
    AND ($after)
ORDER BY key_0 DESC, key_1 DESC
LIMIT {limit:UInt32}

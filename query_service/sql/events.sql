-- Purpose: recent events, the latest received first.
-- Slots (SQL from an allow-list): after.
-- Parameters: tenant, allowed_teams (empty: all), user_filter, user_ids, products (empty: all),
--   from_day, to_day, limit, and key_0 to key_3 of the event before the page.
-- Columns: the event's as stored; the keys of its place.
SELECT
    source, id, type, time, received_at, user_id, day, team_id, product_id, access, tokens,
    product_version, session_id, feature_id, cost_center, partition, position, seq,
    toInt128(toUnixTimestamp64Milli(received_at)) AS key_0,
    toInt128(partition) AS key_1,
    toInt128(position) AS key_2,
    toInt128(seq) AS key_3
FROM usage_events FINAL
WHERE tenant = {tenant:String}
    AND day BETWEEN {from_day:Date} AND {to_day:Date}
    AND (empty({allowed_teams:Array(String)}) OR has({allowed_teams:Array(String)}, team_id))
    AND ({user_filter:Bool} = false OR user_id IN {user_ids:Array(String)})
    AND (empty({products:Array(String)}) OR product_id IN {products:Array(String)})
    AND ($after)
ORDER BY key_0 DESC, key_1 DESC, key_2 DESC, key_3 DESC
LIMIT {limit:UInt32}

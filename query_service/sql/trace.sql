-- Purpose: every counted event of one identity; more than one where it was sent for several users
--   or days.
-- Parameters: tenant, allowed_teams (empty: all), source, id, user_filter, user_ids, day (1970-01-01:
--   any).
-- Columns: partition, position, seq, received_at, user_id, day, and the key of the event's row.
SELECT
    partition, position, seq, received_at, user_id, day,
    type, time, team_id, product_id, product_version, access, tokens
FROM usage_events FINAL
WHERE tenant = {tenant:String}
    AND source = {source:String}
    AND id = {id:String}
    AND (empty({allowed_teams:Array(String)}) OR has({allowed_teams:Array(String)}, team_id))
    AND ({user_filter:Bool} = false OR user_id IN {user_ids:Array(String)})
    AND ({day:Date} = '1970-01-01' OR day = {day:Date})
ORDER BY received_at, position, seq, user_id, day
LIMIT 100

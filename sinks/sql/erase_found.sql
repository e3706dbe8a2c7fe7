-- Purpose: how many rows the tables of known columns hold of a user, whatever their state.
-- Parameters: tenant, user_id.
-- Columns: table, rows.
SELECT 'usage_events' AS table, count() AS rows
FROM usage_events FINAL
WHERE tenant = {tenant:String} AND user_id = {user_id:String}
UNION ALL
SELECT 'usage_daily', count()
FROM usage_daily FINAL
WHERE tenant = {tenant:String} AND user_id = {user_id:String}
UNION ALL
SELECT 'usage_monthly', count()
FROM usage_monthly FINAL
WHERE tenant = {tenant:String} AND user_id = {user_id:String}
UNION ALL
SELECT 'seat_changes', count()
FROM seat_changes FINAL
WHERE tenant = {tenant:String} AND user_id = {user_id:String}
UNION ALL
SELECT 'team_members', count()
FROM team_members FINAL
WHERE tenant = {tenant:String} AND user_id = {user_id:String}
UNION ALL
SELECT 'users', count()
FROM users FINAL
WHERE tenant = {tenant:String} AND user_id = {user_id:String}

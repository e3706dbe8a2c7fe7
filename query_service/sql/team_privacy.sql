-- Purpose: every team that is known from anywhere, and whether its personal data may be shown.
--   One that the directory does not hold is off.
-- Parameters: tenant, and those of query_service.settled for all settled months.
-- Columns: team_id, personal_data.
SELECT team_id, max(is_on) AS personal_data
FROM
(
    SELECT team_id, personal_data AS is_on FROM teams FINAL
    WHERE tenant = {tenant:String} AND NOT deleted
    UNION ALL
    SELECT DISTINCT team_id, false FROM usage_daily FINAL
    WHERE tenant = {tenant:String}
        AND (launches > 0 OR tokens > 0)
        AND toYYYYMM(day) NOT IN {settled_months:Array(UInt32)}
    UNION ALL
    SELECT DISTINCT team_id, false FROM usage_monthly FINAL
    WHERE tenant = {tenant:String}
        AND attempt IN {settled_attempts:Array(UInt64)}
        AND (SELECT throwIf(toUnixTimestamp(now()) > {settled_until:UInt64}, 'looked too long ago')) = 0
    UNION ALL
    SELECT DISTINCT team_id, false FROM seat_changes FINAL
    WHERE tenant = {tenant:String} AND NOT deleted
    UNION ALL
    SELECT DISTINCT team_id, false FROM team_members FINAL
    WHERE tenant = {tenant:String} AND NOT deleted
    UNION ALL
    SELECT DISTINCT team_id, false FROM subscriptions FINAL
    WHERE tenant = {tenant:String} AND NOT deleted
    UNION ALL
    SELECT DISTINCT assumeNotNull(team_id), false FROM token_packs FINAL
    WHERE tenant = {tenant:String} AND NOT deleted AND team_id IS NOT NULL
)
GROUP BY team_id

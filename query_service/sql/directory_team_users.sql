-- Purpose: whether a user is one of the key's teams': a member, assigned something, or has used
--   something there; as an expression for a slot.
-- Parameters: tenant, allowed_teams.
user_id IN
(
    SELECT member.user_id FROM team_members AS member FINAL
    WHERE member.tenant = {tenant:String} AND NOT member.deleted
        AND has({allowed_teams:Array(String)}, member.team_id)
    UNION ALL
    SELECT change.user_id FROM seat_changes AS change FINAL
    WHERE change.tenant = {tenant:String} AND NOT change.deleted
        AND has({allowed_teams:Array(String)}, change.team_id)
    UNION ALL
    SELECT daily.user_id FROM usage_daily AS daily FINAL
    WHERE daily.tenant = {tenant:String} AND has({allowed_teams:Array(String)}, daily.team_id)
        AND (daily.launches > 0 OR daily.tokens > 0)
)

-- Purpose: the teams in view that a user belongs to, was ever assigned something of, or has used
--   something in. Where no team is left out, also a line without a team for an entry of the
--   directory. No line: there is no such user in this view.
-- Slots (SQL from files): uses, the user's in the teams in view.
-- Parameters: those of uses.sql, user_ids, teams (empty: all), as_of.
-- Columns: team_id ('' for the directory), team, is_member, seen_at (1970: never).
SELECT
    place.team_id AS team_id,
    ifNull(nullIf(any(team.name), ''), place.team_id) AS team,
    max(place.is_member) AS is_member,
    max(place.seen_at) AS seen_at
FROM
(
    SELECT team_id, true AS is_member, toDateTime64(0, 3, 'UTC') AS seen_at
    FROM team_members FINAL
    WHERE tenant = {tenant:String}
        AND NOT deleted
        AND user_id IN {user_ids:Array(String)}
        AND (empty({allowed_teams:Array(String)}) OR team_id IN {allowed_teams:Array(String)})
        AND (empty({teams:Array(String)}) OR team_id IN {teams:Array(String)})
    UNION ALL
    SELECT team_id, false, toDateTime64(0, 3, 'UTC')
    FROM seat_changes FINAL
    WHERE tenant = {tenant:String}
        AND NOT deleted
        AND at <= {as_of:DateTime64(3, 'UTC')}
        AND user_id IN {user_ids:Array(String)}
        AND (empty({allowed_teams:Array(String)}) OR team_id IN {allowed_teams:Array(String)})
        AND (empty({teams:Array(String)}) OR team_id IN {teams:Array(String)})
    UNION ALL
    SELECT team_id, false, seen_at
    FROM ($uses)
    UNION ALL
    SELECT '', false, toDateTime64(0, 3, 'UTC')
    FROM users FINAL
    WHERE tenant = {tenant:String}
        AND NOT deleted
        AND user_id IN {user_ids:Array(String)}
        AND empty({allowed_teams:Array(String)})
        AND empty({teams:Array(String)})
) AS place
LEFT JOIN
(
    SELECT team_id, name FROM teams FINAL WHERE tenant = {tenant:String} AND NOT deleted
) AS team ON team.team_id = place.team_id
GROUP BY team_id

-- Purpose: the finished rows of grain user_product that the filters choose, one for each
--   (team, user, product, access) with usage in R. Every other grain and the series add these up.
-- Parameters: tenant, allowed_teams (empty: all), from_day, to_day, as_of_day, as_of,
--   frequent_from (fewest days used that are frequent), months_numerator, months_denominator,
--   and a list for each filter (empty: all); user_filter says whether user_ids is one.
-- Columns: the report's, days (the distinct days used), user_id.
SELECT
    used.team_id AS team_id,
    used.user_id AS user_id,
    used.product_id AS product_id,
    used.access AS access,
    used.days AS days,
    toInt64(length(used.days)) AS days_used,
    used.launches AS launches,
    used.tokens_used AS tokens_used,
    nullIf(used.latest_version, '') AS version,
    nullIf(greatest(used.seen_at, late.seen_at), toDateTime64(0, 3, 'UTC')) AS last_accessed,
    multiIf(days_used = 0, 'unused', days_used < {frequent_from:Int64}, 'occasional', 'frequent') AS frequency,
    if(used.access = 'flex' AND days_used >= 1, 'active', NULL) AS activity,
    if(used.access = 'flex' AND frequency = 'frequent', 'switch_to_subscription', NULL) AS recommendation,
    CAST(NULL AS Nullable(String)) AS seat,
    CAST(NULL AS Nullable(String)) AS assignment,
    CAST(NULL AS Nullable(String)) AS `group`,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS assigned_at,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS unassigned_at,
    CAST(NULL AS Nullable(String)) AS via
FROM
(
    SELECT
        daily.team_id AS team_id,
        daily.user_id AS user_id,
        daily.product_id AS product_id,
        daily.access AS access,
        groupUniqArrayIf(daily.day, daily.day BETWEEN {from_day:Date} AND {to_day:Date}) AS days,
        sumIf(daily.launches, daily.day BETWEEN {from_day:Date} AND {to_day:Date}) AS launches,
        sumIf(daily.tokens, daily.day BETWEEN {from_day:Date} AND {to_day:Date}) AS tokens_used,
        argMaxIf(
            daily.product_version,
            (daily.last_at, daily.product_version),
            daily.day BETWEEN {from_day:Date} AND {to_day:Date}
        ) AS latest_version,
        -- On the day of as_of a row may also hold later events: then only its first is certain
        -- to be before, and `late` knows the others.
        max(
            multiIf(
                daily.last_at <= {as_of:DateTime64(3, 'UTC')}, daily.last_at,
                daily.first_at <= {as_of:DateTime64(3, 'UTC')}, daily.first_at,
                toDateTime64(0, 3, 'UTC')
            )
        ) AS seen_at
    FROM usage_daily AS daily FINAL
    WHERE daily.tenant = {tenant:String}
        AND daily.day <= {as_of_day:Date}
        AND (daily.launches > 0 OR daily.tokens > 0)
        AND (empty({allowed_teams:Array(String)}) OR has({allowed_teams:Array(String)}, daily.team_id))
        AND (empty({teams:Array(String)}) OR has({teams:Array(String)}, daily.team_id))
        AND (empty({products:Array(String)}) OR has({products:Array(String)}, daily.product_id))
        AND (empty({access:Array(String)}) OR has({access:Array(String)}, daily.access))
        AND ({user_filter:Bool} = false OR daily.user_id IN {user_ids:Array(String)})
    GROUP BY team_id, user_id, product_id, access
    HAVING notEmpty(days)
) AS used
LEFT JOIN
(
    SELECT
        event.team_id AS team_id,
        event.user_id AS user_id,
        event.product_id AS product_id,
        event.access AS access,
        max(event.time) AS seen_at
    FROM usage_events AS event FINAL
    WHERE event.tenant = {tenant:String}
        AND event.day = {as_of_day:Date}
        AND event.time <= {as_of:DateTime64(3, 'UTC')}
        AND event.user_id IN
        (
            SELECT daily.user_id
            FROM usage_daily AS daily FINAL
            WHERE daily.tenant = {tenant:String}
                AND daily.day = {as_of_day:Date}
                AND daily.first_at <= {as_of:DateTime64(3, 'UTC')}
                AND daily.last_at > {as_of:DateTime64(3, 'UTC')}
        )
    GROUP BY team_id, user_id, product_id, access
) AS late USING (team_id, user_id, product_id, access)
WHERE (empty({versions:Array(String)}) OR version IN {versions:Array(String)})
    AND (empty({frequency:Array(String)}) OR frequency IN {frequency:Array(String)})
    AND (empty({activity:Array(String)}) OR activity IN {activity:Array(String)})
    AND (empty({recommendation:Array(String)}) OR recommendation IN {recommendation:Array(String)})
    AND (empty({seat:Array(String)}) OR seat IN {seat:Array(String)})
    AND (empty({assignment:Array(String)}) OR assignment IN {assignment:Array(String)})
    AND (empty({groups:Array(String)}) OR `group` IN {groups:Array(String)})

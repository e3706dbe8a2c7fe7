-- Purpose: the use of each (team, user, product, access) from daily rows: in R, and when last.
--   A collection takes the use of its members, so they come with it.
-- Parameters: tenant, allowed_teams (empty: all), from_day, to_day, as_of_day, as_of,
--   teams, products, access (empty: all), and user_filter, whether user_ids is a filter.
-- Columns: the key, days (distinct days used in R), launches, tokens_used, latest_version, seen_at.
SELECT
    used.team_id AS team_id,
    used.user_id AS user_id,
    used.product_id AS product_id,
    used.access AS access,
    used.days AS days,
    used.launches AS launches,
    used.tokens_used AS tokens_used,
    used.latest_version AS latest_version,
    greatest(used.seen_at, late.seen_at) AS seen_at
FROM
(
    SELECT
        daily.team_id AS team_id,
        daily.user_id AS user_id,
        daily.product_id AS product_id,
        toString(daily.access) AS access,
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
        AND
        (
            empty({products:Array(String)})
            OR has({products:Array(String)}, daily.product_id)
            OR daily.product_id IN
            (
                SELECT arrayJoin(members)
                FROM products FINAL
                WHERE tenant = {tenant:String}
                    AND kind = 'collection'
                    AND NOT deleted
                    AND has({products:Array(String)}, product_id)
            )
        )
        AND (empty({access:Array(String)}) OR has({access:Array(String)}, daily.access))
        AND ({user_filter:Bool} = false OR daily.user_id IN {user_ids:Array(String)})
    GROUP BY team_id, user_id, product_id, access
) AS used
LEFT JOIN
(
    SELECT
        event.team_id AS team_id,
        event.user_id AS user_id,
        event.product_id AS product_id,
        toString(event.access) AS access,
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

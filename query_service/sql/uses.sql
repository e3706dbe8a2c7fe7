-- Purpose: the use of each (team, user, product, access) from daily rows: in R, and when last.
--   A collection takes the use of its members, so they come with it.
-- Slots (SQL from allow-lists): early, the filters that choose among these too.
-- Parameters: tenant, allowed_teams (empty: all), from_day, to_day, as_of_day, as_of, and those of
--   the filters.
-- Columns: the key, early_days and late_days (the days used in R as bits: the first 256 of R, and
--   the others), launches, tokens_used, latest_version, seen_at.
SELECT
    used.team_id AS team_id,
    used.user_id AS user_id,
    used.product_id AS product_id,
    used.access AS access,
    used.early_days AS early_days,
    used.late_days AS late_days,
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
        -- A shift by 256 and more leaves nothing.
        groupBitOrIf(
            bitShiftLeft(toUInt256(1), toUInt16(daily.day - {from_day:Date})),
            daily.day BETWEEN {from_day:Date} AND {to_day:Date}
        ) AS early_days,
        groupBitOrIf(
            bitShiftLeft(toUInt256(1), toUInt16(daily.day - {from_day:Date} - 256)),
            daily.day BETWEEN {from_day:Date} + 256 AND {to_day:Date}
        ) AS late_days,
        sumIf(daily.launches, daily.day BETWEEN {from_day:Date} AND {to_day:Date}) AS launches,
        sumIf(daily.tokens, daily.day BETWEEN {from_day:Date} AND {to_day:Date}) AS tokens_used,
        -- The latest row's, and of the same moment the last one by name: the time stands before the
        -- version, eight bytes with the highest first, because the greatest of texts is found five
        -- times as fast as that of tuples.
        substring(
            maxIf(
                concat(
                    reinterpretAsFixedString(byteSwap(toUInt64(toUnixTimestamp64Milli(daily.last_at)))),
                    daily.product_version
                ),
                daily.day BETWEEN {from_day:Date} AND {to_day:Date}
            ),
            9
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
        AND (empty({allowed_teams:Array(String)}) OR daily.team_id IN {allowed_teams:Array(String)})
        AND $early
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

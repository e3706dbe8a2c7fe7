-- Purpose: the use of each (team, user, product, access): in R, and when last. Settled months that R
--   does not cut come from monthly rows, every other day from daily ones, and no day from both.
--   A collection takes the use of its members, so they come with it.
-- Slots (SQL from allow-lists): early, the filters that choose among these too.
-- Parameters: tenant, allowed_teams (empty: all), from_day, to_day, as_of_day, as_of, those of
--   query_service.settled, and those of the filters.
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
        each.team_id AS team_id,
        each.user_id AS user_id,
        each.product_id AS product_id,
        toString(each.access) AS access,
        groupBitOrIf(each.early_days, each.is_in_range) AS early_days,
        groupBitOrIf(each.late_days, each.is_in_range) AS late_days,
        sumIf(each.launches, each.is_in_range) AS launches,
        sumIf(each.tokens, each.is_in_range) AS tokens_used,
        substring(maxIf(each.latest, each.is_in_range), 9) AS latest_version,
        max(each.seen_at) AS seen_at
    FROM
    (
        SELECT
            daily.team_id AS team_id,
            daily.user_id AS user_id,
            daily.product_id AS product_id,
            daily.access AS access,
            daily.day BETWEEN {from_day:Date} AND {to_day:Date} AS is_in_range,
            -- A shift by 256 and more leaves nothing, and by less than 0 is one by 65,000 and more.
            bitShiftLeft(toUInt256(1), toUInt16(daily.day - {from_day:Date})) AS early_days,
            bitShiftLeft(toUInt256(1), toUInt16(daily.day - {from_day:Date} - 256)) AS late_days,
            daily.launches AS launches,
            daily.tokens AS tokens,
            -- The latest row's, and of the same moment the last one by name: the time stands before
            -- the version, eight bytes with the highest first, because the greatest of texts is
            -- found five times as fast as that of tuples.
            concat(
                reinterpretAsFixedString(byteSwap(toUInt64(toUnixTimestamp64Milli(daily.last_at)))),
                daily.product_version
            ) AS latest,
            -- On the day of as_of a row may also hold later events: then only its first is certain
            -- to be before, and `late` knows the others.
            multiIf(
                daily.last_at <= {as_of:DateTime64(3, 'UTC')}, daily.last_at,
                daily.first_at <= {as_of:DateTime64(3, 'UTC')}, daily.first_at,
                toDateTime64(0, 3, 'UTC')
            ) AS seen_at
        FROM usage_daily AS daily FINAL
        WHERE daily.tenant = {tenant:String}
            AND daily.day <= {as_of_day:Date}
            AND toYYYYMM(daily.day) NOT IN {settled_months:Array(UInt32)}
            AND (daily.launches > 0 OR daily.tokens > 0)
            AND (empty({allowed_teams:Array(String)}) OR daily.team_id IN {allowed_teams:Array(String)})
            AND $early
        UNION ALL
        SELECT
            monthly.team_id,
            monthly.user_id,
            monthly.product_id,
            monthly.access,
            monthly.first_day BETWEEN {from_day:Date} AND {to_day:Date},
            bitShiftLeft(toUInt256(monthly.days), toUInt16(monthly.first_day - {from_day:Date})),
            -- The last days of a month that begins in the first 256 may lie behind them.
            bitOr(
                bitShiftLeft(toUInt256(monthly.days), toUInt16(monthly.first_day - {from_day:Date} - 256)),
                bitShiftRight(toUInt256(monthly.days), toUInt16({from_day:Date} + 256 - monthly.first_day))
            ),
            monthly.launches,
            monthly.tokens,
            monthly.latest,
            monthly.last_at
        FROM usage_monthly AS monthly FINAL
        WHERE monthly.tenant = {tenant:String}
            AND monthly.attempt IN {settled_attempts:Array(UInt64)}
            -- What ceased to count is dropped an hour later: before that, a late reader stops.
            AND (SELECT throwIf(toUnixTimestamp(now()) > {settled_until:UInt64}, 'looked too long ago')) = 0
            AND (empty({allowed_teams:Array(String)}) OR monthly.team_id IN {allowed_teams:Array(String)})
            AND $early
    ) AS each
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

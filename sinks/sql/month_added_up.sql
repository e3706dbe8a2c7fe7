-- Purpose: the rows of usage_monthly for one month. A row of zeros counts as absent. In the order
--   of the rows, so that no month is too large for memory.
-- Parameters: attempt, month.
-- Columns: those of usage_monthly.
SELECT
    {attempt:UInt64} AS attempt,
    daily.tenant AS tenant,
    daily.user_id AS user_id,
    daily.product_id AS product_id,
    daily.team_id AS team_id,
    daily.access AS access,
    YYYYMMDDToDate({month:UInt32} * 100 + 1) AS first_day,
    groupBitOr(bitShiftLeft(toUInt32(1), toUInt8(toDayOfMonth(daily.day) - 1))) AS days,
    sum(daily.launches) AS launches,
    sum(daily.tokens) AS tokens,
    max(daily.last_at) AS last_at,
    max(
        concat(
            reinterpretAsFixedString(byteSwap(toUInt64(toUnixTimestamp64Milli(daily.last_at)))),
            daily.product_version
        )
    ) AS latest
FROM usage_daily AS daily FINAL
WHERE toYYYYMM(daily.day) = {month:UInt32}
    AND (daily.launches > 0 OR daily.tokens > 0)
GROUP BY tenant, user_id, product_id, team_id, access
SETTINGS optimize_aggregation_in_order = 1

-- Purpose: rows of usage_daily that differ from what usage_events adds up to. A row of zeros
--   counts as absent.
-- Parameters: tenants and teams (empty: all), from_day, to_day.
-- Columns: checked (rows compared), differences (rows that differ), examples: the first hundred of
--   them, each its key, then launches, tokens, first_at and last_at as stored and as counted again
--   (1970-01-01 and 0 where that side has no row), and whether each side has a row.
WITH
    sides AS
    (
        SELECT
            tenant, user_id, product_id, product_version, team_id, access, day,
            launches AS stored_launches, tokens AS stored_tokens,
            first_at AS stored_first_at, last_at AS stored_last_at, true AS in_rows,
            toUInt64(0) AS counted_launches, toDecimal128(0, 4) AS counted_tokens,
            toDateTime64(0, 3, 'UTC') AS counted_first_at,
            toDateTime64(0, 3, 'UTC') AS counted_last_at, false AS in_events
        FROM usage_daily FINAL
        WHERE day BETWEEN {from_day:Date} AND {to_day:Date}
            AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
            AND (empty({teams:Array(String)}) OR team_id IN {teams:Array(String)})
            AND (launches > 0 OR tokens > 0)
        UNION ALL
        SELECT
            tenant, user_id, product_id, product_version, team_id, access, day,
            toUInt64(0), toDecimal128(0, 4),
            toDateTime64(0, 3, 'UTC'), toDateTime64(0, 3, 'UTC'), false,
            countIf(type = 'product.launched'), sum(toDecimal128(tokens, 4)),
            min(time), max(time), true
        FROM usage_events FINAL
        WHERE day BETWEEN {from_day:Date} AND {to_day:Date}
            AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
            AND (empty({teams:Array(String)}) OR team_id IN {teams:Array(String)})
        GROUP BY tenant, user_id, product_id, product_version, team_id, access, day
    ),
    compared AS
    (
        SELECT
            tenant, user_id, product_id, product_version, team_id, access, day,
            sum(stored_launches) AS launches, sum(counted_launches) AS launches_counted,
            sum(stored_tokens) AS tokens, sum(counted_tokens) AS tokens_counted,
            max(stored_first_at) AS first_at, max(counted_first_at) AS first_at_counted,
            max(stored_last_at) AS last_at, max(counted_last_at) AS last_at_counted,
            max(in_rows) AS stored, max(in_events) AS counted,
            launches != launches_counted OR tokens != tokens_counted
                OR first_at != first_at_counted OR last_at != last_at_counted
                OR stored != counted AS differs
        FROM sides
        GROUP BY tenant, user_id, product_id, product_version, team_id, access, day
    )
SELECT
    count() AS checked,
    countIf(differs) AS differences,
    groupArrayIf(100)(
        (
            tenant, user_id, product_id, product_version, team_id, access, day,
            launches, launches_counted, tokens, tokens_counted,
            first_at, first_at_counted, last_at, last_at_counted, stored, counted
        ),
        differs
    ) AS examples
FROM compared
SETTINGS max_bytes_before_external_group_by = 1073741824

-- Purpose: write rows of usage_daily again from usage_events. Each stands at the highest position
--   of its row and its events, so that it replaces the row (of equal ones the last insert wins)
--   and no record that is in it is added again. A row without events becomes one of zeros; one
--   that is so already is left.
-- Parameters: tenants and users (empty: all), from_day, to_day: one month at most;
--   fold_version UInt16.
INSERT INTO usage_daily
(
    tenant, user_id, product_id, product_version, team_id, access, day,
    launches, tokens, first_at, last_at, partition, position, fold_version
)
SELECT
    tenant, user_id, product_id, product_version, team_id, access, day,
    sum(side_launches),
    toDecimal128(sum(side_tokens), 4),
    max(side_first_at),
    max(side_last_at),
    argMax(side_partition, side_position),
    max(side_position),
    {fold_version:UInt16}
FROM
(
    SELECT
        tenant, user_id, product_id, product_version, team_id, access, day,
        toUInt64(0) AS side_launches, toDecimal128(0, 4) AS side_tokens,
        toDateTime64(0, 3, 'UTC') AS side_first_at, toDateTime64(0, 3, 'UTC') AS side_last_at,
        partition AS side_partition, position AS side_position,
        launches > 0 OR tokens > 0 AS counts
    FROM usage_daily FINAL
    WHERE day BETWEEN {from_day:Date} AND {to_day:Date}
        AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
        AND (empty({users:Array(String)}) OR user_id IN {users:Array(String)})
    UNION ALL
    SELECT
        tenant, user_id, product_id, product_version, team_id, access, day,
        countIf(type = 'product.launched'), sum(toDecimal128(tokens, 4)),
        min(time), max(time),
        argMax(partition, position), max(position), true
    FROM usage_events FINAL
    WHERE day BETWEEN {from_day:Date} AND {to_day:Date}
        AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
        AND (empty({users:Array(String)}) OR user_id IN {users:Array(String)})
    GROUP BY tenant, user_id, product_id, product_version, team_id, access, day
)
GROUP BY tenant, user_id, product_id, product_version, team_id, access, day
HAVING max(counts)
SETTINGS
    max_bytes_before_external_group_by = 1073741824,
    -- A replica would drop a block that is the same as one of an earlier rebuild.
    insert_deduplicate = 0

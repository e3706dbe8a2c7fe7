-- What the days of a month add up to: a report reads a month that nobody writes to from here, some
-- fifteen rows of usage_daily at a time. Rows are made by sinks.settle, an attempt at a time, and
-- count only while `settled_months` says of the attempt that usage_daily still consists of the very
-- parts that the attempt was read from.

CREATE TABLE IF NOT EXISTS usage_monthly
(
    attempt UInt64,
    tenant String,
    user_id String,
    product_id String,
    team_id String,
    access LowCardinality(String),
    first_day Date,
    -- The days used: the lowest bit is the first of the month.
    days UInt32,
    launches UInt64,
    tokens Decimal(38, 4),
    last_at DateTime64(3, 'UTC'),
    -- Of the last row: its time in eight bytes, the highest first, and its version.
    latest String
)
ENGINE = ReplacingMergeTree
PARTITION BY attempt
-- With the attempt, or FINAL would take rows of two months for versions of one, unless it is told to
-- stay within partitions.
ORDER BY (tenant, user_id, product_id, team_id, access, attempt);

CREATE TABLE IF NOT EXISTS settled_months
(
    -- As the partitions of usage_daily are called: 202602.
    month UInt32,
    parts String,
    attempt UInt64,
    rows UInt64,
    made_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(made_at)
ORDER BY (month, attempt)
-- A month is made again then, if it is still there.
TTL toDate(made_at) + INTERVAL 100 DAY;

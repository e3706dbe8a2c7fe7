-- The folded tables and what they are folded from.
-- A row is written whole and carries the log position it was folded up to as its version, so
-- retries, replays and zombies lose or tie. Every read uses FINAL or argMax.

CREATE TABLE IF NOT EXISTS usage_events
(
    tenant String,
    user_id String,
    day Date,
    source String,
    id String,
    type LowCardinality(String),
    time DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC'),
    team_id String,
    product_id String,
    access LowCardinality(String),
    tokens Decimal(18, 4),
    product_version String,
    session_id String,
    feature_id String,
    cost_center String,
    partition UInt16,
    position UInt64,
    seq UInt32,
    -- Falls as the stamp (position, seq) rises: of an identity's copies the first one stays.
    first UInt128 MATERIALIZED bitNot(bitShiftLeft(toUInt128(position), 32) + seq)
)
ENGINE = ReplacingMergeTree(first)
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, user_id, day, source, id)
TTL day + INTERVAL 400 DAY;

CREATE TABLE IF NOT EXISTS usage_daily
(
    tenant String,
    user_id String,
    product_id String,
    product_version String,
    team_id String,
    access LowCardinality(String),
    day Date,
    launches UInt64,
    tokens Decimal(18, 4),
    first_at DateTime64(3, 'UTC'),
    last_at DateTime64(3, 'UTC'),
    partition UInt16,
    position UInt64,
    fold_version UInt16
)
ENGINE = ReplacingMergeTree(position)
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, user_id, product_id, product_version, team_id, access, day);

-- The books: what was delivered, by the day it was received. `counted` is the sum of the records'
-- count headers; it cannot be told by tenant and is booked under tenant ''.
CREATE TABLE IF NOT EXISTS usage_ledger
(
    tenant String,
    received_day Date,
    partition UInt16,
    accepted UInt64,
    stored UInt64,
    duplicate UInt64,
    dead UInt64,
    counted UInt64,
    position UInt64,
    fold_version UInt16
)
ENGINE = ReplacingMergeTree(position)
PARTITION BY toYYYYMM(received_day)
ORDER BY (tenant, received_day, partition);

-- How far each partition is folded. position is the last folded record's; of an epoch without one
-- it is the place just before its first offset.
CREATE TABLE IF NOT EXISTS progress
(
    partition UInt16,
    position UInt64,
    appended_at DateTime64(3, 'UTC'),
    caught_up_at DateTime64(3, 'UTC'),
    fold_version UInt16
)
ENGINE = ReplacingMergeTree(position)
ORDER BY partition;

CREATE TABLE IF NOT EXISTS dead_letters
(
    origin String,
    tenant String,
    reason LowCardinality(String),
    detail String,
    raw String,
    received_at DateTime64(3, 'UTC'),
    replayed Bool DEFAULT false,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, origin)
TTL toDate(received_at) + INTERVAL 400 DAY;

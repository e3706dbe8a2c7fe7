-- Who may ask (tenants, keys) and the lives of the log (log_epochs), and leases for maintenance.

CREATE TABLE IF NOT EXISTS tenants
(
    tenant String,
    -- Hex of the 32 random bytes that hashed user ids are keyed with; part of every backup.
    secret String,
    created_at DateTime64(3, 'UTC'),
    version UInt64,
    deleted Bool DEFAULT false
)
ENGINE = ReplacingMergeTree(version)
ORDER BY tenant;

CREATE TABLE IF NOT EXISTS keys
(
    key_id String,
    tenant String,
    -- Hex SHA-256 of the secret, which has 256 random bits: a slow hash would add nothing.
    secret_hash String,
    scopes Array(LowCardinality(String)),
    teams Array(String),
    created_at DateTime64(3, 'UTC'),
    revoked_at Nullable(DateTime64(3, 'UTC')),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY key_id;

-- The position of a record is a function of (topic_id, partition, offset) alone: the highest
-- epoch whose first_offset is not above the offset.
CREATE TABLE IF NOT EXISTS log_epochs
(
    topic_id String,
    partition UInt16,
    first_offset UInt64,
    partitions UInt16,
    epoch UInt16,
    opened_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(opened_at)
ORDER BY (epoch, partition);

CREATE TABLE IF NOT EXISTS leases
(
    name String,
    holder String,
    expires_at DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY name;

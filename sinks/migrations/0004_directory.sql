-- The directory (who and what there is), and who was assigned or unassigned which seat.
-- A row is written whole with a rising version; `deleted` removes it for readers.

CREATE TABLE IF NOT EXISTS teams
(
    tenant String,
    team_id String,
    name Nullable(String),
    personal_data Bool,
    deleted Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, team_id);

CREATE TABLE IF NOT EXISTS team_members
(
    tenant String,
    team_id String,
    user_id String,
    deleted Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, team_id, user_id);

CREATE TABLE IF NOT EXISTS users
(
    tenant String,
    user_id String,
    first_name Nullable(String),
    last_name Nullable(String),
    email Nullable(String),
    deleted Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, user_id);

CREATE TABLE IF NOT EXISTS products
(
    tenant String,
    product_id String,
    name Nullable(String),
    kind LowCardinality(String),
    -- Product ids; of a collection alone.
    members Array(String),
    deleted Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, product_id);

CREATE TABLE IF NOT EXISTS subscriptions
(
    tenant String,
    subscription_id String,
    team_id String,
    product_id String,
    seats UInt32,
    starts_on Date32,
    ends_on Date32,
    deleted Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, subscription_id);

CREATE TABLE IF NOT EXISTS token_packs
(
    tenant String,
    pack_id String,
    -- Null: the tenant's, for all its teams.
    team_id Nullable(String),
    tokens Decimal(18, 4),
    purchased_on Date32,
    starts_on Date32,
    ends_on Date32,
    deleted Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, pack_id);

CREATE TABLE IF NOT EXISTS prices
(
    tenant String,
    product_id String,
    valid_from Date32,
    annual_price Decimal(18, 4),
    tokens_per_day Decimal(18, 4),
    token_price Decimal(18, 4),
    currency LowCardinality(String),
    deleted Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, product_id, valid_from);

-- State is a fold by (at, version) of each path, which is (assignment, group). A change that
-- changes nothing is not stored, and a reader that meets one skips it.
CREATE TABLE IF NOT EXISTS seat_changes
(
    tenant String,
    user_id String,
    product_id String,
    team_id String,
    access LowCardinality(String),
    at DateTime64(3, 'UTC'),
    -- direct, group or default
    assignment LowCardinality(String),
    -- Name of the group; '' for the other two.
    `group` String,
    -- '' for a change that came with the directory.
    request_id String,
    assigned Bool,
    -- Id of the key that asked for it.
    actor String,
    deleted Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, user_id, product_id, team_id, access, at, assignment, `group`, request_id);

-- What was asked under each request id, and what was decided: written before the seat changes,
-- so that a retry after a crash writes the same ones and gets the same answer.
CREATE TABLE IF NOT EXISTS change_requests
(
    tenant String,
    request_id String,
    -- assign, unassign, move-to-flex or undo
    kind LowCardinality(String),
    -- Hex SHA-256 of the body: another one under the same id is refused.
    body_hash String,
    -- JSON: the items with their verdicts and the changes they need.
    plan String,
    actor String,
    at DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, request_id);

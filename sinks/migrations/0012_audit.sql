-- Who changed or exported what, and when: kept for whoever asks later, so nothing here is personal.
-- An entry is written before the deed and again after it, under the same key.

CREATE TABLE IF NOT EXISTS audit
(
    tenant String,
    -- When it began.
    at DateTime64(3, 'UTC'),
    -- Random: no two deeds share it, whatever ids their senders gave.
    entry_id String,
    action LowCardinality(String),
    -- api, page or command
    via LowCardinality(String),
    -- Id of the key; '' at the command line, which has none.
    key_id String,
    -- Tells the sessions of one key apart; '' without a session.
    session String,
    -- As in the logs and in X-Request-Id.
    request_id String,
    -- begun, done, refused, failed or broken_off; one that stays begun was cut short, and may be
    -- done.
    result LowCardinality(String),
    -- JSON: counts, format, teams, names of filters.
    details String,
    -- 1 before, 2 after.
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, at, entry_id);

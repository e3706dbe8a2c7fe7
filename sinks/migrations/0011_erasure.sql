-- Who was erased, without naming them: nothing that stands on the log up to a position is counted
-- again for that user. And the erasures that are under way, which do name them, and are deleted
-- when they are done.

CREATE TABLE IF NOT EXISTS erased
(
    tenant String,
    -- HMAC-SHA256 under the tenant's secret, with a purpose of its own: joins with nothing.
    user_hash String,
    partition UInt16,
    position UInt64,
    -- Of which erasure it is: its copies are whole from then on.
    erasure String,
    erased_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(position)
ORDER BY (tenant, user_hash, partition);

CREATE TABLE IF NOT EXISTS erasures
(
    erasure String,
    tenant String,
    user_id String,
    user_hash String,
    pseudonym String,
    -- What the identities of the copies are keyed with.
    salt String,
    started_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(started_at)
ORDER BY erasure;

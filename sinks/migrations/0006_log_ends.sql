-- How far each life of the log was seen to reach, and how much of it was folded: what lies between
-- is lost once the topic is gone. Both only grow, so rows may come late, twice or from two workers.

CREATE TABLE IF NOT EXISTS log_ends
(
    epoch UInt16,
    partition UInt16,
    -- The next offset to be written, and the next one to fold.
    seen_end SimpleAggregateFunction(max, UInt64),
    folded SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (epoch, partition);

-- The backups that were taken whole: the age of the last one is a metric, and an alert. Where a
-- backup lies is not told: a destination may carry a password.

CREATE TABLE IF NOT EXISTS backups
(
    taken_at DateTime64(3, 'UTC'),
    finished_at DateTime64(3, 'UTC'),
    release String
)
ENGINE = ReplacingMergeTree(finished_at)
ORDER BY taken_at;

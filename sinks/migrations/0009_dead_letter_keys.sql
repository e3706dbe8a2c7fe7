-- The key that a dead letter was sent with: a replay judges it by the same key.

ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS key_id String AFTER detail;

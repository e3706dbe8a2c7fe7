-- Scope import reaches 400 days back, and an event may be delivered again as long as the log keeps
-- it: its identity must still be known then. A week of log, and a day for the edges of days.

ALTER TABLE usage_events MODIFY TTL day + INTERVAL 408 DAY;

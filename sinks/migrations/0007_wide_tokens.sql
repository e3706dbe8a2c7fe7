-- A row's tokens add up without an end, and a Decimal(18, 4) ends at 10^14: a fold that can't store
-- its sum would be tried again for ever.

ALTER TABLE usage_daily MODIFY COLUMN tokens Decimal(38, 4);

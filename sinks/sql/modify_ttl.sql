-- Purpose: keep what a table has for another number of days.
-- Slots: table, day (what the days count from), days, of code alone: a TTL takes no parameters.
ALTER TABLE $table MODIFY TTL $day + INTERVAL $days DAY

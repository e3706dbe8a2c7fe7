-- Purpose: keep what a table has for ever.
-- Slots: table, of code alone.
ALTER TABLE $table REMOVE TTL

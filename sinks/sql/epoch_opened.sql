-- Purpose: when an epoch of the log was opened.
-- Parameters: epoch UInt16.
-- Columns: opened_at.
SELECT min(opened_at) FROM log_epochs FINAL WHERE epoch = {epoch:UInt16}

-- Purpose: delete what named the user of an erasure that is done.
-- Parameters: erasure.
ALTER TABLE erasures DELETE WHERE erasure = {erasure:String} SETTINGS mutations_sync = 2

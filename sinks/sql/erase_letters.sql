-- Purpose: delete every version of some dead letters.
-- Parameters: keys Array(Tuple(String, String)): tenant and origin.
ALTER TABLE dead_letters DELETE
WHERE (tenant, origin) IN ({keys:Array(Tuple(String, String))})
SETTINGS mutations_sync = 2

-- Purpose: hold a claim for longer; one that has run out stays so, and no row is written.
-- Parameters: name String, claim String, ttl_ms UInt32.
INSERT INTO leases (name, claim, holder, expires_at, version)
SELECT name, claim, holder, now64(3, 'UTC') + toIntervalMillisecond({ttl_ms:UInt32}), version + 1
FROM leases FINAL
WHERE name = {name:String} AND claim = {claim:String} AND expires_at > now64(3, 'UTC')

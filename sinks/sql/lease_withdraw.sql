-- Purpose: give a claim up: it has run out long ago.
-- Parameters: name String, claim String.
INSERT INTO leases (name, claim, holder, expires_at, version)
SELECT name, claim, holder, toDateTime64(0, 3, 'UTC'), version + 1
FROM leases FINAL
WHERE name = {name:String} AND claim = {claim:String}

-- Purpose: claim a lease for a while.
-- Parameters: name String; claim String, new each time; holder String, for people; ttl_ms UInt32.
INSERT INTO leases (name, claim, holder, expires_at, version)
SELECT
    {name:String},
    {claim:String},
    {holder:String},
    now64(3, 'UTC') + toIntervalMillisecond({ttl_ms:UInt32}),
    1

-- Purpose: the guard that an erasure has put up, if it came so far.
-- Parameters: tenant, user_hash, erasure.
-- Columns: partition, position.
SELECT partition, position
FROM erased FINAL
WHERE tenant = {tenant:String} AND user_hash = {user_hash:String} AND erasure = {erasure:String}
ORDER BY partition

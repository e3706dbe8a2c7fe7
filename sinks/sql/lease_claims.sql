-- Purpose: who holds a lease, or is about to be refused it: the claims that have not run out, by
--   ClickHouse's own clock.
-- Parameters: name String.
-- Columns: claim, holder.
SELECT claim, holder
FROM leases FINAL
WHERE name = {name:String} AND expires_at > now64(3, 'UTC')
ORDER BY claim

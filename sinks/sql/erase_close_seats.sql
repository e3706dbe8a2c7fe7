-- Purpose: close every path that a pseudonym's seats still have open: nobody sits there any more.
-- Parameters: tenant, pseudonym; now_ms Int64; version UInt64.
INSERT INTO seat_changes
(
    tenant, user_id, product_id, team_id, access, at, assignment, `group`, request_id, assigned,
    actor, deleted, version
)
SELECT
    change.tenant, change.user_id, product_id, team_id, access,
    greatest(
        max(change.at) + toIntervalMillisecond(1), fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC')
    ),
    assignment, `group`, '', false, '', false, {version:UInt64}
FROM seat_changes AS change FINAL
WHERE tenant = {tenant:String} AND user_id = {pseudonym:String} AND NOT deleted
GROUP BY tenant, user_id, product_id, team_id, access, assignment, `group`
HAVING argMax(assigned, (change.at, change.version))
SETTINGS insert_deduplicate = 0

-- Purpose: delete every version of what a user has in usage_daily up to the guard. The user is not
--   named: the text of a mutation stays on disk.
-- Parameters: erasure; partitions Array(UInt16), positions Array(UInt64) beside them: the guard.
ALTER TABLE usage_daily DELETE
WHERE (tenant, user_id) IN
    (
        SELECT tenant, user_id FROM erasures FINAL WHERE erasure = {erasure:String}
    )
    AND has({partitions:Array(UInt16)}, partition)
    AND position <= {positions:Array(UInt64)}[indexOf({partitions:Array(UInt16)}, partition)]
SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1

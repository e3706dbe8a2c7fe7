-- Purpose: delete the versions of recorded requests whose plan names a user; a newer one without
--   stands beside each. The user is not named here: the text of a mutation stays on disk.
-- Parameters: erasure.
ALTER TABLE change_requests DELETE
WHERE tenant = (SELECT tenant FROM erasures FINAL WHERE erasure = {erasure:String})
    AND position(
        plan,
        (
            SELECT concat('"user_id":"', replaceAll(replaceAll(user_id, '\\', '\\\\'), '"', '\\"'), '"')
            FROM erasures FINAL
            WHERE erasure = {erasure:String}
        )
    ) > 0
SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1

-- Purpose: delete what a user has in usage_monthly; no month that has lost rows is read (settle.py), and
--   the months are added up again. The user is not named: the text of a mutation stays on disk.
-- Parameters: erasure.
ALTER TABLE usage_monthly DELETE
WHERE (tenant, user_id) IN
    (
        SELECT tenant, user_id FROM erasures FINAL WHERE erasure = {erasure:String}
    )
SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1

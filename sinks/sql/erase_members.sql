-- Purpose: delete every version of what a user has in team_members. The user is not named: the text of
--   a mutation stays on disk.
-- Parameters: erasure.
ALTER TABLE team_members DELETE
WHERE (tenant, user_id) IN
    (
        SELECT tenant, user_id FROM erasures FINAL WHERE erasure = {erasure:String}
    )
SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1

-- Purpose: the erasures that are under way: one more than is at work was killed half-way.
-- Columns: erasure, tenant, user_id, user_hash, pseudonym, salt.
SELECT erasure, tenant, user_id, user_hash, pseudonym, salt
FROM erasures FINAL
ORDER BY started_at, erasure

-- Purpose: all keys, revoked ones included.
-- Columns: key_id, tenant, secret_hash, scopes, teams, created_at, revoked_at.
SELECT key_id, tenant, secret_hash, scopes, teams, created_at, revoked_at
FROM keys FINAL
ORDER BY created_at, key_id

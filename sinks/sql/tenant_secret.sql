-- Purpose: the secret that a tenant's user ids are hashed with.
-- Parameters: tenant String.
-- Columns: secret (hex).
SELECT secret FROM tenants FINAL WHERE tenant = {tenant:String} AND NOT deleted

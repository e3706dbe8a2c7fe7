-- Purpose: every token pack of the tenant. Also those of teams outside the caller's view: which
--   shared pack a token came from depends on them; query_service.tokens shows those in view alone.
-- Parameters: tenant.
-- Columns: pack_id, team_id (null: the tenant's), tokens, purchased_on, starts_on, ends_on.
SELECT pack_id, team_id, tokens, purchased_on, starts_on, ends_on
FROM token_packs FINAL
WHERE tenant = {tenant:String} AND NOT deleted

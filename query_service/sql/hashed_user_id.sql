-- Purpose: the stand-in for a user id, as an expression for a slot.
-- Parameters: tenant.
lower(left(hex(HMAC('SHA256', user_id, assumeNotNull((SELECT unhex(secret) FROM tenants FINAL WHERE tenant = {tenant:String})))), 40))

-- Purpose: the guards of erased users: up to which position of each partition nothing of a user
--   is counted again.
-- Columns: tenant, secret of the tenant in hexadecimal digits, user_hash, guard (partition,
--   position).
SELECT tenant, any(secret), user_hash, groupArray((partition, position))
FROM
(
    SELECT tenant, user_hash, partition, position FROM erased FINAL
) AS guards
INNER JOIN
(
    SELECT tenant, secret FROM tenants FINAL
) AS known USING (tenant)
GROUP BY tenant, user_hash

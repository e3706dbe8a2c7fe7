-- A lease is taken by a claim, and claims stand side by side: whoever finds another's withdraws.

ALTER TABLE leases ADD COLUMN IF NOT EXISTS claim String, MODIFY ORDER BY (name, claim);

-- Purpose: the snapshot, the chosen rows added up and the seats that are paid for: free and over are
--   told per team and product, and then added up.
-- Slots (SQL from files): chosen, pairs.
-- Parameters: those of chosen.sql.
-- Columns: subscriptions, seats_total, seats_assigned, seats_free, seats_over, seats_active,
--   seats_inactive, users, token_users, tokens_used.
WITH
    chosen AS ($chosen)
SELECT
    sum(pair.subscriptions) AS subscriptions,
    sum(pair.seats_total) AS seats_total,
    sum(pair.seats_assigned) AS seats_assigned,
    sum(greatest(pair.seats_total, pair.seats_assigned) - pair.seats_assigned) AS seats_free,
    sum(greatest(pair.seats_total, pair.seats_assigned) - pair.seats_total) AS seats_over,
    sum(pair.seats_active) AS seats_active,
    sum(pair.seats_inactive) AS seats_inactive,
    uniqExactMerge(pair.user_ids) AS users,
    uniqExactMerge(pair.token_user_ids) AS token_users,
    sum(pair.tokens_used) AS tokens_used
FROM ($pairs) AS pair

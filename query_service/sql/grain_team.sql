-- Purpose: the chosen rows, gathered by team, with its seats: free and over are told per team and
--   product, and then added up.
-- Slots (SQL from files): pairs.
-- Parameters: those of pairs.sql.
-- Columns: the report's, user_ids (a state, for the distinct users of all rows).
SELECT
    team_id,
    max(pair.team) AS team,
    toInt64(bitCount(groupBitOr(pair.early_days)) + bitCount(groupBitOr(pair.late_days))) AS days_used,
    sum(pair.launches) AS launches,
    sum(pair.tokens_used) AS tokens_used,
    max(pair.last_accessed) AS last_accessed,
    uniqExactMerge(pair.user_ids) AS users,
    uniqExactMergeState(pair.user_ids) AS user_ids,
    uniqExactIf(pair.product_id, pair.chosen_rows > 0) AS products,
    sum(pair.seats_total) AS seats_total,
    sum(pair.seats_assigned) AS seats_assigned,
    sum(greatest(pair.seats_total, pair.seats_assigned) - pair.seats_assigned) AS seats_free,
    sum(greatest(pair.seats_total, pair.seats_assigned) - pair.seats_total) AS seats_over,
    sum(pair.seats_active) AS seats_active,
    sum(pair.seats_inactive) AS seats_inactive
FROM ($pairs) AS pair
GROUP BY team_id
HAVING sum(pair.chosen_rows) > 0

-- Purpose: the chosen rows, gathered by team.
-- Parameters: those of user_product_rows.sql.
-- Columns: the report's, user_ids (a state, for the distinct users of all rows).
SELECT
    team_id,
    team_id AS team,
    toInt64(length(groupUniqArrayArray(chosen.days))) AS days_used,
    sum(chosen.launches) AS launches,
    sum(chosen.tokens_used) AS tokens_used,
    max(chosen.last_accessed) AS last_accessed,
    uniqExact(chosen.user_id) AS users,
    uniqExactState(chosen.user_id) AS user_ids,
    uniqExact(chosen.product_id) AS products,
    CAST(NULL AS Nullable(UInt64)) AS seats_total,
    CAST(NULL AS Nullable(UInt64)) AS seats_assigned,
    CAST(NULL AS Nullable(UInt64)) AS seats_free,
    CAST(NULL AS Nullable(UInt64)) AS seats_over,
    CAST(NULL AS Nullable(UInt64)) AS seats_active,
    CAST(NULL AS Nullable(UInt64)) AS seats_inactive
FROM chosen
GROUP BY team_id

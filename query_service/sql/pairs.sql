-- Purpose: the chosen rows and the seats that are paid for, by team and product. Seats paid for are
--   those of the teams and products in view, whatever else the filters choose.
-- Parameters: those of chosen.sql.
-- Columns: team_id, product_id, team, product, early_days, late_days, launches, tokens_used, last_accessed, user_ids
--   and token_user_ids (states), chosen_rows, subscriptions (how many), seats_total, seats_assigned,
--   seats_active, seats_inactive.
SELECT
    team_id,
    product_id,
    max(part.team) AS team,
    max(part.product) AS product,
    groupBitOr(part.early_days) AS early_days,
    groupBitOr(part.late_days) AS late_days,
    sum(part.launches) AS launches,
    sum(part.tokens_used) AS tokens_used,
    max(part.last_accessed) AS last_accessed,
    uniqExactMergeState(part.user_ids) AS user_ids,
    uniqExactMergeState(part.token_user_ids) AS token_user_ids,
    sum(part.chosen_rows) AS chosen_rows,
    sum(part.subscriptions) AS subscriptions,
    sum(part.seats_total) AS seats_total,
    sum(part.seats_assigned) AS seats_assigned,
    sum(part.seats_active) AS seats_active,
    sum(part.seats_inactive) AS seats_inactive
FROM
(
    SELECT
        team_id,
        product_id,
        any(chosen.team) AS team,
        any(chosen.product) AS product,
        groupBitOr(chosen.early_days) AS early_days,
        groupBitOr(chosen.late_days) AS late_days,
        sum(chosen.launches) AS launches,
        sum(chosen.tokens_used) AS tokens_used,
        max(chosen.last_accessed) AS last_accessed,
        uniqExactState(chosen.user_id) AS user_ids,
        uniqExactStateIf(chosen.user_id, chosen.tokens_used > 0) AS token_user_ids,
        count() AS chosen_rows,
        toUInt64(0) AS subscriptions,
        toUInt64(0) AS seats_total,
        countIf(chosen.is_seat) AS seats_assigned,
        countIf(chosen.is_seat AND ifNull(chosen.activity = 'active', false)) AS seats_active,
        countIf(chosen.is_seat AND ifNull(chosen.activity = 'inactive', false)) AS seats_inactive
    FROM chosen
    GROUP BY team_id, product_id
    UNION ALL
    SELECT
        team_id, product_id, '', '', 0, 0, 0, 0, NULL,
        uniqExactStateIf(team_id, false),
        uniqExactStateIf(team_id, false),
        0, count(), sum(seats), 0, 0, 0
    FROM subscriptions FINAL
    WHERE tenant = {tenant:String}
        AND NOT deleted
        AND {as_of_day:Date} BETWEEN starts_on AND ends_on
        AND (empty({allowed_teams:Array(String)}) OR team_id IN {allowed_teams:Array(String)})
        AND (empty({teams:Array(String)}) OR team_id IN {teams:Array(String)})
        AND (empty({products:Array(String)}) OR product_id IN {products:Array(String)})
    GROUP BY team_id, product_id
) AS part
GROUP BY team_id, product_id

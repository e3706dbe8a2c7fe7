-- Purpose: write the rows of an attempt.
-- Slots (SQL from files): month_added_up.
-- Parameters: attempt, month.
INSERT INTO usage_monthly
    (attempt, tenant, user_id, product_id, team_id, access, first_day, days, launches, tokens, last_at, latest)
$month_added_up

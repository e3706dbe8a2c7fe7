-- Purpose: what the chosen rows can be filtered by: the values that occur in them.
-- Slots (SQL from files): chosen.
-- Parameters: those of chosen.sql, and the limits of days_used and tokens.
-- Columns: teams (id and name), products (id and name), versions, groups: arrays, in no order.
WITH
    chosen AS ($chosen)
SELECT
    groupUniqArray((team_id, team)) AS teams,
    groupUniqArray((product_id, product)) AS products,
    groupUniqArray(version) AS versions,
    groupUniqArray(`group`) AS groups
FROM chosen
WHERE days_used BETWEEN {days_used_min:Int128} AND {days_used_max:Int128}
    AND tokens_used BETWEEN {tokens_min:Decimal(38, 4)} AND {tokens_max:Decimal(38, 4)}

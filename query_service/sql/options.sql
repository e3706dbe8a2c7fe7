-- Purpose: what the chosen rows can be filtered by: the values that occur in them.
-- Slots (SQL from files): chosen.
-- Parameters: those of chosen.sql.
-- Columns: teams ([id, name]), products ([id, name]), versions, groups: arrays, in no order.
WITH
    chosen AS ($chosen)
SELECT
    groupUniqArray([team_id, team]) AS teams,
    groupUniqArray([product_id, product]) AS products,
    groupUniqArray(version) AS versions,
    groupUniqArray(`group`) AS groups
FROM chosen

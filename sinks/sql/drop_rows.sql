-- Purpose: delete every version of some rows of usage_daily: a lower one can't replace a higher.
-- Parameters: keys Array(Tuple(String, String, String, String, String, String, Date)): as ROW_KEY.
ALTER TABLE usage_daily DELETE
WHERE (tenant, user_id, product_id, product_version, team_id, access, day)
    IN ({keys:Array(Tuple(String, String, String, String, String, String, Date))})
SETTINGS mutations_sync = 2

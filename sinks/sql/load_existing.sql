-- Purpose: hashes of the user-days that exist in some days of some partitions. A user's rows of
--   an older epoch may carry another partition, so those count for every partition of the day.
-- Parameters: places Array(Tuple(UInt16, Date)): partition, day; days Array(Date): their days;
--   floor UInt64: the first position of the present epoch.
-- Columns: partition, older (of an epoch below the floor), day, hash of the user.
-- DISTINCT over keys alone: which version of a row is read does not matter, FINAL is for form.
SELECT DISTINCT
    partition,
    position < {floor:UInt64} AS older,
    day,
    xxHash64(concat(tenant, '\0', user_id)) AS hash
FROM usage_daily FINAL
WHERE day IN ({days:Array(Date)})
    AND ((partition, day) IN ({places:Array(Tuple(UInt16, Date))}) OR position < {floor:UInt64})
SETTINGS do_not_merge_across_partitions_select_final = 1

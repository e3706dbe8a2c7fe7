-- Purpose: what each month of usage_daily consists of now. Equal `parts` are equal rows: a part is
--   never changed, and every insert, merge and mutation makes parts of other names; the hash of
--   their bytes covers names that come back, as after a restore. Parts of a replicated table
--   differ by replica, so it has none here.
-- Columns: month (202602), parts, changed_at (when the last of them was written).
SELECT
    toUInt32OrZero(partition) AS month,
    hex(sipHash128(arraySort(groupArray((name, hash_of_all_files))))) AS parts,
    max(modification_time) AS changed_at
FROM system.parts
WHERE database = currentDatabase()
    AND table = 'usage_daily'
    AND engine = 'ReplacingMergeTree'
    AND active
GROUP BY month

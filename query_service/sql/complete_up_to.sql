-- Purpose: for each partition, the moment before which every answered event is folded. Each
--   version of a row stays true, so the highest of all of them is right as well.
-- Columns: partition, moment.
SELECT partition, max(greatest(appended_at, caught_up_at)) AS moment
FROM progress FINAL
GROUP BY partition

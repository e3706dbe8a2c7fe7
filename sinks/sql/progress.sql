-- Purpose: how far each partition is folded. Each row's claims stay true, so maxima are right:
--   the highest position, the latest append time folded, the latest moment caught up.
-- Columns: partition, position, appended_at, caught_up_at, fold_version (the highest).
SELECT partition, max(position), max(appended_at), max(caught_up_at), max(fold_version)
FROM progress
GROUP BY partition
ORDER BY partition

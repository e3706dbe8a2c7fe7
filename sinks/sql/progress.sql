-- Purpose: how far each partition is folded. Each row's claims stay true, so maxima are right:
--   the highest position, the latest append time folded, the latest moment caught up.
-- Columns: partition, position, appended_at, caught_up_at, fold_version (the highest),
--   last_appended_at (of the record at position: a broker's clock may have gone back).
SELECT
    partition,
    max(progress.position),
    max(progress.appended_at),
    max(caught_up_at),
    max(fold_version),
    argMax(progress.appended_at, progress.position)
FROM progress
GROUP BY partition
ORDER BY partition

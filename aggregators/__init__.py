"""Worker: folds the log into one row per user, product and day."""

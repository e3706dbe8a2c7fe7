"""Names of the folded tables' columns, and the version of the fold that fills them.

Next: aggregators.fold
"""

# Two releases that fold differently must not run side by side: raise this, drain, stop, start.
FOLD_VERSION = 1

# A row of usage_daily is one of these; a user-day is the first two and the day.
ROW_KEY = ("tenant", "user_id", "product_id", "product_version", "team_id", "access", "day")
USER_DAY_KEY = ("tenant", "user_id", "day")
# Within a user-day, the same event sent again is counted once.
IDENTITY = ("source", "id")
LEDGER_KEY = ("tenant", "received_day", "partition")

"""The report's words for people: one label for each column and value, wherever people read it.

CSV, JSON and Parquet keep the machine names.

Next: deploy.commands.report
"""

# Formats of exports, by the extension of their files.
EXTENSIONS = ("csv", "xlsx", "json", "ndjson", "parquet")

LABELS = {
    "team_id": "Team id",
    "team": "Team",
    "user_id": "User id",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail",
    "hashed_user_id": "Hashed user id",
    "product_id": "Product id",
    "product": "Product",
    "version": "Version",
    "access": "Access option",
    "seat": "Seat assignment",
    "assignment": "Assigned by",
    "group": "Group",
    "assigned_at": "Assigned",
    "unassigned_at": "Unassigned",
    "activity": "Activity",
    "frequency": "Frequency",
    "days_used": "Days used",
    "monthly_average": "Monthly average",
    "launches": "Launches",
    "tokens_used": "Tokens used",
    "tokens_monthly_average": "Tokens a month",
    "last_accessed": "Last accessed",
    "days_inactive": "Days inactive",
    "recommendation": "Recommendation",
    "via": "Through collection",
    "users": "Users",
    "products": "Products",
    "seats_total": "Seats",
    "seats_assigned": "Seats assigned",
    "seats_free": "Seats free",
    "seats_over": "Seats over",
    "seats_active": "Seats active",
    "seats_inactive": "Seats inactive",
}

# Values of the columns that have a few; all others stand as they are.
VALUES = {
    "access": {"subscription": "Subscription", "flex": "Flex"},
    "seat": {"assigned": "Assigned", "unassigned": "Unassigned"},
    "assignment": {"direct": "Direct", "group": "Group", "default": "Default"},
    "activity": {"active": "Active", "inactive": "Inactive"},
    "frequency": {"frequent": "Frequent", "occasional": "Occasional", "unused": "Unused"},
    "recommendation": {
        "unassign": "Unassign",
        "switch_to_flex": "Switch to flex",
        "switch_to_subscription": "Switch to subscription",
    },
}

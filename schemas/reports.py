"""The report's words for people: one label for each column, wherever people read it.

CSV and JSON keep the machine names.

Next: deploy.commands.report
"""

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

"""The page in a real Chromium, on one running `up` with sample data."""

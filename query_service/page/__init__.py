"""The page: the same report for people, as HTML."""

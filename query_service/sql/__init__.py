"""SQL of the query service, named for the question."""

"""SQL of the sinks, named for the question; see sinks.queries."""

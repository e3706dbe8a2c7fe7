"""What is asked of any ClickHouse, at one server of its own."""

"""What bad input and bad clients do to a whole system that runs for all of them."""

"""The whole system by its own commands, on one running `up`."""

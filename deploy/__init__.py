"""Running it: the command line, the one-machine supervisor and its engines."""

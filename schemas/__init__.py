"""The words two processes share; no I/O."""

"""The image without Docker: the Dockerfile's steps by hand in a root of their own, then every process."""

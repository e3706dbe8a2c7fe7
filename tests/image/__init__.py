"""The image without Docker: the Dockerfile's steps by hand, then every process of it."""

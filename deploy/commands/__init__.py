"""The commands of `usage-report`, one module a group; `deploy.cli` registers them."""

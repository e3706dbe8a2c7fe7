"""Migrations, numbered and applied once; see sinks.migrate."""

-- Purpose: an empty database.
-- Parameters: database Identifier.
CREATE DATABASE IF NOT EXISTS {database:Identifier}

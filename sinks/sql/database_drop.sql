-- Purpose: remove a database with all that is in it, at once.
-- Parameters: database Identifier.
DROP DATABASE IF EXISTS {database:Identifier} SYNC

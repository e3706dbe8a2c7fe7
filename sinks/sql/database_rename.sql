-- Purpose: give a database its name; all of its tables are there at once.
-- Parameters: draft and database Identifier.
RENAME DATABASE {draft:Identifier} TO {database:Identifier}

-- Purpose: all of a table as it is stored, for a backup: older copies of a row too.
-- Parameters: table Identifier, limit UInt64 (rows).
SELECT * FROM {table:Identifier} LIMIT {limit:UInt64}

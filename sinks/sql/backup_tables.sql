-- Purpose: the tables of a database and how each was made.
-- Parameters: database String.
-- Columns: name, engine, create_table_query.
SELECT name, engine, create_table_query
FROM system.tables
WHERE database = {database:String}
ORDER BY name

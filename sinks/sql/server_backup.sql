-- Purpose: ClickHouse's own backup of a database. It takes no parameters for names, so what stands
--   for them is checked and quoted before it is put in.
BACKUP DATABASE :database TO :destination

-- Purpose: ClickHouse's own backup of a database, of all its shards where it is a cluster's. It takes
--   no parameters for names, so what stands for them is checked and quoted before it is put in.
BACKUP DATABASE :database:on_cluster TO :destination

-- Purpose: a database out of ClickHouse's own backup, under another name. It takes no parameters
--   for names, so what stands for them is checked and quoted before it is put in.
RESTORE DATABASE :database AS :draft FROM :destination

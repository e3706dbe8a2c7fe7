-- Purpose: how long the engine keeps the parts that a merge or a mutation has replaced.
-- Columns: seconds.
SELECT toUInt32(value) AS seconds FROM system.merge_tree_settings WHERE name = 'old_parts_lifetime'

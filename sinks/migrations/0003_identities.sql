-- An event is found by its identity alone (trace): the sort key begins with the user.

ALTER TABLE usage_events ADD INDEX IF NOT EXISTS identities id TYPE bloom_filter(0.001) GRANULARITY 1;

-- The book begins with what is there of each source, and with nothing where nothing is: what is older is in the ledger alone.
INSERT INTO {movements} (source_id, table_name, run_id, cause, "rows", change)
SELECT s.id, {table_name}, (SELECT max(r.id) FROM {runs} AS r WHERE r.source_id = s.id), 'opening', count(m.source_id), count(m.source_id)
FROM {sources} AS s
LEFT JOIN {map} AS m ON m.source_id = s.id AND m.state = 'live'
GROUP BY s.id

-- The book begins with what is there.
INSERT INTO {movements} (source_id, table_name, run_id, cause, "rows", change)
SELECT m.source_id, {table_name}, (SELECT max(r.id) FROM {runs} AS r WHERE r.source_id = m.source_id), 'opening', count(*), count(*)
FROM {map} AS m
WHERE m.state = 'live'
GROUP BY m.source_id

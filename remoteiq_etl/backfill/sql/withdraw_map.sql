-- What was deleted with a row that was withdrawn does not come back: it would be granted again.
UPDATE {map} AS m
SET state = 'deleted', last_run = {run_id}
WHERE m.source_id = {source_id} AND m.state = 'live' AND EXISTS (SELECT FROM {target} AS t WHERE {key_join} AND {affected})

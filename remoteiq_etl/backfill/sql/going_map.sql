-- Nothing is written any more: a row that comes back is inserted again, under the same key.
UPDATE {map} AS m
SET state = 'gone', written_hash = NULL, last_run = {run_id}
FROM going AS g
WHERE g.table_name = {table_name} AND g.verdict = 'free' AND m.new_key = g.new_key::{new_key_type}
    AND m.source_id = {source_id} AND m.state = {state}

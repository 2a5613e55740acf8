-- What was gone and is there again: found by a complete read, and mapped to a row that is there.
UPDATE {gone} AS g
SET returned_run = {run_id}
FROM {map} AS m
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.legacy_table = {legacy_table}
    AND g.returned_run IS NULL AND g.last_run < {run_id}
    AND m.source_id = g.source_id AND m.legacy_table = g.legacy_table AND m.legacy_key = g.legacy_key::{key_type}
    AND m.state <> 'gone'

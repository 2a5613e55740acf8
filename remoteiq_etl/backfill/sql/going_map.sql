-- Nothing is written any more: a row that comes back is inserted again, under the same key.
WITH former AS (
    SELECT m.source_id, m.legacy_table, m.legacy_key, m.state
    FROM {map} AS m
    JOIN going AS g ON g.table_name = {table_name} AND g.verdict = 'free' AND m.new_key = g.new_key::{new_key_type}
    WHERE m.source_id = {source_id} AND m.state IN ('live', 'merged')
), marked AS (
    UPDATE {map} AS m
    SET state = 'gone', written_hash = NULL, last_run = {run_id}
    FROM former AS f
    WHERE m.source_id = f.source_id AND m.legacy_table = f.legacy_table AND m.legacy_key = f.legacy_key
    RETURNING f.state
)
SELECT count(*) FILTER (WHERE state = 'live') FROM marked

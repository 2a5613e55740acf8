-- name: done
UPDATE {gone} AS g
SET outcome = 'withdrawn', reason = NULL, done_run = {run_id}, judged_run = {run_id}
FROM going AS k
WHERE g.source_id = {source_id} AND g.table_name = k.table_name AND g.legacy_table = k.legacy_table
    AND g.legacy_key = k.legacy_key


-- name: keep
UPDATE {gone} AS g
SET reason = 'kept by target', holder = %(holder)s, judged_run = {run_id}
FROM going AS k
WHERE g.source_id = {source_id} AND g.table_name = k.table_name AND g.legacy_table = k.legacy_table
    AND g.legacy_key = k.legacy_key


-- name: map
-- What was deleted with a row that was withdrawn does not come back: it would be granted again.
UPDATE {map} AS m
SET state = 'deleted', last_run = {run_id}
WHERE m.source_id = {source_id} AND m.state = 'live' AND EXISTS (SELECT FROM {target} AS t WHERE {key_join} AND {affected})


-- name: with
-- Rows that lose what they grant together with the row that they belong to, and are gone from legacy with it.
UPDATE {gone} AS g
SET outcome = {outcome}, reason = NULL, done_run = {run_id}, judged_run = {run_id}
FROM {target} AS t
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.last_run = {run_id} AND g.returned_run IS NULL
    AND g.outcome = 'listed' AND {row_join} AND {affected}


-- name: withdraw
-- The rows of ours that are to be withdrawn: gone from legacy, and there in the target.
CREATE TEMPORARY TABLE going ON COMMIT DROP AS
SELECT g.table_name, g.legacy_table, g.legacy_key, g.new_key
FROM {gone} AS g
JOIN {map} AS m ON m.source_id = g.source_id AND m.legacy_table = g.legacy_table AND m.legacy_key = g.legacy_key::{key_type}
JOIN {target} AS t ON {key_join}
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.last_run = {run_id} AND g.returned_run IS NULL
    AND g.outcome = 'listed' AND g.judged_run IS DISTINCT FROM {run_id} AND m.state = 'live' AND NOT m.adopted
ORDER BY t.{key}
LIMIT {rows}
FOR UPDATE OF t


-- name: written
UPDATE {map} AS m
SET written_hash = {after}, last_written = m.last_written || {written}, last_run = {run_id}
FROM {target} AS t
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state = 'live' AND NOT m.adopted
    AND {key_join} AND {affected} AND m.written_hash = {before}

-- The rows of ours that are to be withdrawn: gone from legacy, and there in the target.
CREATE TEMPORARY TABLE going ON COMMIT DROP AS
SELECT g.table_name, g.legacy_table, g.legacy_key, g.new_key
FROM {gone} AS g
JOIN {map} AS m ON m.source_id = g.source_id AND m.legacy_table = g.legacy_table AND m.legacy_key = g.legacy_key::{key_type}
JOIN {target} AS t ON {key_join}
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.last_run = {run_id} AND g.returned_run IS NULL
    AND g.outcome = 'listed' AND m.state = 'live' AND NOT m.adopted
ORDER BY t.{key}
LIMIT {rows}
FOR UPDATE OF t

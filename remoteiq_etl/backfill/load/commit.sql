-- name: map_merged
-- A row merged into another one leads to the same new key.
INSERT INTO {map} AS known
    (source_id, legacy_table, legacy_key, new_key, rule, state, adopted, first_run, last_run)
SELECT {source_id}, {legacy_table}, %(key)s, winner.new_key, %(rule)s, 'merged', false, {run_id}, {run_id}
FROM {map} AS winner
WHERE winner.source_id = {source_id} AND winner.legacy_table = {legacy_table} AND winner.legacy_key = %(into)s AND winner.new_key IS NOT NULL
ON CONFLICT ({map_key}) DO UPDATE SET new_key = EXCLUDED.new_key, rule = EXCLUDED.rule, state = 'merged', last_run = EXCLUDED.last_run
WHERE (known.new_key, known.rule, known.state) IS DISTINCT FROM (EXCLUDED.new_key, EXCLUDED.rule, EXCLUDED.state)
-- What this statement sees of the map is what it was before.
RETURNING EXISTS (
    SELECT FROM {map} AS before
    WHERE before.source_id = {source_id} AND before.legacy_table = {legacy_table} AND before.legacy_key = %(key)s AND before.state = 'live'
)


-- name: release
UPDATE {waiting} AS w
SET released_run = {run_id}
FROM {stage} AS s
WHERE w.source_id = {source_id} AND w.legacy_table = {legacy_table} AND w.table_name = {table_name}
    AND w.legacy_key = {listed_key} AND w.released_run IS NULL
    AND s._row <> ALL (%(deferred)s::int[])


-- name: taken_in
-- Rows that were left out before and are written now.
DELETE FROM {left_out} AS o
USING {stage} AS s
WHERE o.source_id = {source_id} AND o.table_name = {table_name} AND o.legacy_table = {legacy_table} AND o.legacy_key = {listed_key}

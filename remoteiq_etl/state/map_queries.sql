-- name: unmapped
SELECT {asset}, NOT EXISTS (SELECT FROM {target}) AND NOT EXISTS (SELECT FROM {map} WHERE source_id = {source_id})


-- name: deleted_in_target
SELECT {asset}, EXISTS (
    SELECT FROM {map} AS m
    WHERE m.source_id = {source_id} AND m.state = 'live' AND m.new_key IS NOT NULL
        AND NOT EXISTS (SELECT FROM {target} AS t WHERE {key_join})
)


-- name: same_as
-- A key that stands for another row of the same table leads to that row, whatever id was expected when this was decided.
UPDATE {map} AS m
SET new_key = s.new_key, last_run = {run_id}
FROM {map} AS s
WHERE m.source_id = {source_id} AND m.decision ? 'same_as'
    AND s.source_id = {source_id} AND s.legacy_table = m.decision -> 'same_as' ->> 0 AND s.legacy_key = m.decision -> 'same_as' ->> 1
    AND s.new_key IS NOT NULL AND m.new_key IS DISTINCT FROM s.new_key


-- name: step_back
-- A key whose row another key takes over: it still leads to the row, but no longer stands for it. Returns what it was.
UPDATE {map} AS m
SET state = 'merged', last_run = {run_id}
FROM {map} AS before
WHERE m.source_id = {source_id} AND m.legacy_table = %(former_table)s AND m.legacy_key = %(former_key)s
    AND before.source_id = m.source_id AND before.legacy_table = m.legacy_table AND before.legacy_key = m.legacy_key
    AND m.new_key IS NOT NULL AND m.written_hash IS NOT NULL
RETURNING before.state


-- name: inherit
-- A key takes over the row that another key had, with what was last written there and by which run it was made.
UPDATE {map} AS m
SET new_key = former.new_key, state = %(state)s, adopted = former.adopted, written_hash = former.written_hash,
    last_written = former.last_written, last_run = {run_id},
    inserted_run = CASE WHEN NOT former.adopted THEN coalesce(former.inserted_run, former.first_run) END
FROM {map} AS former
WHERE m.source_id = {source_id} AND m.legacy_table = %(legacy_table)s AND m.legacy_key = %(legacy_key)s
    AND former.source_id = m.source_id AND former.legacy_table = %(former_table)s AND former.legacy_key = %(former_key)s

-- name: heirs
-- Staged keys that were merged into a row so far, and the key of the same legacy table that the row was written from.
SELECT m.legacy_key::text, min(f.legacy_key::text)
FROM {stage} AS s
JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key AND m.state = 'merged'
JOIN {map} AS f ON f.source_id = m.source_id AND f.legacy_table = m.legacy_table AND f.new_key = m.new_key AND f.state = 'live'
WHERE NOT EXISTS (SELECT FROM {stage} AS o WHERE o._key = f.legacy_key)
GROUP BY 1


-- name: inherit
-- A key takes over the row that another key had, with what was last written there and by which run it was made.
UPDATE {map} AS m
SET new_key = former.new_key, state = %(state)s, adopted = former.adopted, written_hash = former.written_hash,
    last_written = former.last_written, last_run = {run_id},
    inserted_run = CASE WHEN NOT former.adopted THEN coalesce(former.inserted_run, former.first_run) END
FROM {map} AS former
WHERE m.source_id = {source_id} AND m.legacy_table = %(legacy_table)s AND m.legacy_key = %(legacy_key)s
    AND former.source_id = m.source_id AND former.legacy_table = %(former_table)s AND former.legacy_key = %(former_key)s


-- name: step_back
-- A key whose row another key takes over: it still leads to the row, but no longer stands for it. Returns what it was.
UPDATE {map} AS m
SET state = 'merged', last_run = {run_id}
FROM {map} AS before
WHERE m.source_id = {source_id} AND m.legacy_table = %(former_table)s AND m.legacy_key = %(former_key)s
    AND before.source_id = m.source_id AND before.legacy_table = m.legacy_table AND before.legacy_key = m.legacy_key
    AND m.new_key IS NOT NULL AND m.written_hash IS NOT NULL
RETURNING before.state

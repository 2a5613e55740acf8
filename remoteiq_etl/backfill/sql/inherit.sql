-- A key takes over the row that another key had, with what was last written there and by which run it was made.
UPDATE {map} AS m
SET new_key = former.new_key, state = %(state)s, adopted = former.adopted, written_hash = former.written_hash,
    last_written = former.last_written, last_run = {run_id},
    inserted_run = CASE WHEN NOT former.adopted THEN coalesce(former.inserted_run, former.first_run) END
FROM {map} AS former
WHERE m.source_id = {source_id} AND m.legacy_table = %(legacy_table)s AND m.legacy_key = %(legacy_key)s
    AND former.source_id = m.source_id AND former.legacy_table = %(former_table)s AND former.legacy_key = %(former_key)s

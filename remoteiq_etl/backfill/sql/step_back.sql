-- A key whose row another key takes over: it still leads to the row, but no longer stands for it. Returns what it was.
UPDATE {map} AS m
SET state = 'merged', last_run = {run_id}
FROM {map} AS before
WHERE m.source_id = {source_id} AND m.legacy_table = %(former_table)s AND m.legacy_key = %(former_key)s
    AND before.source_id = m.source_id AND before.legacy_table = m.legacy_table AND before.legacy_key = m.legacy_key
    AND m.new_key IS NOT NULL AND m.written_hash IS NOT NULL
RETURNING before.state

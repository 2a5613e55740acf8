-- Conflicts about which nobody has decided.
SELECT table_name || ' ' || new_key AS key FROM {conflicts}
WHERE source_id = %(source_id)s AND resolved_run IS NULL AND decision IS NULL

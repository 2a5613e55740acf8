-- Conflicts with a decision that no run has carried out.
SELECT table_name || ' ' || new_key AS key FROM {conflicts}
WHERE source_id = %(source_id)s AND resolved_run IS NULL AND decision IS NOT NULL

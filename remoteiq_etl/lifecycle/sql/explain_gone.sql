SELECT table_name AS "table", new_key, outcome, reason, holder, first_run, last_run, done_run, returned_run
FROM {gone}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY table_name

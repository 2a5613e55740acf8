SELECT table_name AS "table", legacy_table, legacy_key, outcome, rule, run_id
FROM {left_out}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY table_name

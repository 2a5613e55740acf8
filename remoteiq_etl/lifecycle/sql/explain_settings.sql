SELECT legacy_column AS "column", settings_type, path, outcome, run_id
FROM {legacy_settings_map}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY legacy_column

-- The legacy rows of one target table that wait, or of which a difference is not settled.
SELECT legacy_table, legacy_key FROM {quarantine} WHERE source_id = %(source_id)s AND table_name = %(table)s AND released_run IS NULL
UNION ALL
SELECT legacy_table, legacy_key FROM {held} WHERE source_id = %(source_id)s AND table_name = %(table)s AND released_run IS NULL
UNION ALL
SELECT legacy_table, legacy_key FROM {conflicts} WHERE source_id = %(source_id)s AND table_name = %(table)s AND resolved_run IS NULL

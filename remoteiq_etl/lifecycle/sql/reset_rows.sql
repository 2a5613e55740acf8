-- The legacy rows that one key names, of the legacy tables that an asset reads. A row is named by its legacy or its new key.
SELECT m.legacy_table, m.legacy_key::text
FROM {map} AS m
WHERE m.source_id = %(source_id)s AND m.legacy_table = ANY (%(legacy_tables)s)
    AND (m.legacy_key::text = %(key)s::text OR m.new_key::text = %(key)s::text AND m.state <> 'decided')
UNION
SELECT w.legacy_table, w.legacy_key
FROM (
    SELECT source_id, table_name, legacy_table, legacy_key FROM {left_out}
    UNION ALL
    SELECT source_id, table_name, legacy_table, legacy_key FROM {quarantine} WHERE released_run IS NULL
    UNION ALL
    SELECT source_id, table_name, legacy_table, legacy_key FROM {held} WHERE released_run IS NULL
) AS w
WHERE w.source_id = %(source_id)s AND w.table_name = %(table)s AND w.legacy_table = ANY (%(legacy_tables)s)
    AND w.legacy_key = %(key)s::text
ORDER BY 1, 2

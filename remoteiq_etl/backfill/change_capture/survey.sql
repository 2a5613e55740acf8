-- name: rows_to_read_again
-- The legacy rows that wait, or of which a difference is not settled, by target table; those that were forgotten on demand, by asset.
SELECT 'table', table_name, legacy_table, legacy_key FROM {quarantine}
WHERE source_id = %(source_id)s AND table_name = ANY (%(tables)s) AND released_run IS NULL
UNION ALL
SELECT 'table', table_name, legacy_table, legacy_key FROM {held}
WHERE source_id = %(source_id)s AND table_name = ANY (%(tables)s) AND released_run IS NULL
UNION ALL
SELECT 'table', table_name, legacy_table, legacy_key FROM {conflicts}
WHERE source_id = %(source_id)s AND table_name = ANY (%(tables)s) AND resolved_run IS NULL
UNION ALL
SELECT 'asset', table_name, legacy_table, legacy_key FROM {resets}
WHERE source_id = %(source_id)s AND table_name = ANY (%(assets)s) AND run_id IS NULL AND legacy_key IS NOT NULL

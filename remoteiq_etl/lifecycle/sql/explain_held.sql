SELECT
    table_name AS "table", parent_table, parent_key, "column", attempts, held_at AS since, first_run, last_run, released_run
FROM {held}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY table_name

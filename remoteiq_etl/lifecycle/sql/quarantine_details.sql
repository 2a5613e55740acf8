-- The same rows with everything that is known of them.
SELECT
    table_name AS "table", legacy_table, legacy_key, rule, columns, detail, attempts, quarantined_at AS since, last_run,
    ignored_at, ignored_by, ignored_reason, first_run, released_run, "row", coalesce(history, '[]') AS history
FROM {quarantine}
WHERE {selected}
ORDER BY table_name, legacy_table, legacy_key

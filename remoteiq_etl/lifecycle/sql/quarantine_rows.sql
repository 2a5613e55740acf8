-- One row per quarantined row of a source that a selection takes, by table and rule.
SELECT
    table_name AS "table", legacy_table, legacy_key, rule, columns, detail, attempts, quarantined_at AS since, last_run,
    ignored_at, ignored_by, ignored_reason
FROM {quarantine}
WHERE {selected}
ORDER BY table_name, rule, legacy_table, legacy_key

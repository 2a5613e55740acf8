-- The rows of each of these groups that have waited longest.
SELECT "table", legacy_table, rule, legacy_key, quarantined_at, "row"
FROM (
    SELECT
        table_name AS "table", legacy_table, rule, legacy_key, quarantined_at, "row",
        row_number() OVER (PARTITION BY table_name, legacy_table, rule ORDER BY quarantined_at, legacy_key) AS nth
    FROM {quarantine}
    WHERE source_id = %(source_id)s AND released_run IS NULL
) AS numbered
WHERE nth <= %(few)s
ORDER BY "table", legacy_table, rule, nth

-- The first open conflicts of each table and reason, with how many there are, and how many an operator has decided about.
SELECT
    "table", reason, rows, decided, legacy_table, legacy_key, new_key, columns, last_written, current, incoming, decision
FROM (
    SELECT
        table_name AS "table", reason, legacy_table, legacy_key, new_key, columns, last_written, current, incoming, decision,
        count(*) OVER of_group AS rows,
        count(decision) OVER of_group AS decided,
        row_number() OVER (PARTITION BY table_name, reason ORDER BY id) AS nth
    FROM {conflicts}
    WHERE source_id = %(source_id)s AND resolved_run IS NULL
    WINDOW of_group AS (PARTITION BY table_name, reason)
) AS numbered
WHERE nth <= %(few)s
ORDER BY "table", reason, nth

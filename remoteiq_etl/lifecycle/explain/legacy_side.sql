-- name: archive
SELECT
    "column", value, rule,
    CASE WHEN sealed IS NOT NULL THEN 'sealed' WHEN withheld THEN 'withheld' ELSE 'in clear' END AS kept,
    run_id, gone_run
FROM {legacy_archive}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY "column"


-- name: gone
SELECT table_name AS "table", new_key, outcome, reason, holder, first_run, last_run, done_run, returned_run
FROM {gone}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY table_name


-- name: held
SELECT
    table_name AS "table", parent_table, parent_key, "column", attempts, held_at AS since, first_run, last_run, released_run
FROM {held}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY table_name


-- name: left_out
SELECT table_name AS "table", legacy_table, legacy_key, outcome, rule, run_id
FROM {left_out}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY table_name


-- name: settings
SELECT legacy_column AS "column", settings_type, path, outcome, run_id
FROM {legacy_settings_map}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY legacy_column

-- name: conflict_samples
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


-- name: quarantine_groups
-- Open quarantined rows by table and reason, the most first; rows that a person ignores count, too.
SELECT
    q.table_name AS "table",
    q.legacy_table,
    q.rule,
    coalesce((array_agg(DISTINCT q.detail) FILTER (WHERE q.detail <> ''))[1:%(few)s], '{{}}') AS details,
    (
        SELECT coalesce(array_agg(DISTINCT named), '{{}}')
        FROM unnest(string_to_array(string_agg(array_to_string(q.columns, E'\n'), E'\n'), E'\n')) AS named
        WHERE named <> ''
    ) AS columns,
    count(*)::bigint AS "rows",
    count(q.ignored_at)::bigint AS ignored,
    min(q.quarantined_at) AS oldest
FROM {quarantine} AS q
WHERE q.source_id = %(source_id)s AND q.released_run IS NULL
GROUP BY q.table_name, q.legacy_table, q.rule
ORDER BY count(*) DESC, q.table_name, q.rule


-- name: held_groups
-- Open held rows by what they wait for.
SELECT
    table_name AS "table", legacy_table, parent_table, "column", count(*)::bigint AS "rows", min(held_at) AS oldest,
    (array_agg(legacy_key ORDER BY held_at, legacy_key))[1:%(few)s] AS keys
FROM {held}
WHERE source_id = %(source_id)s AND released_run IS NULL
GROUP BY table_name, legacy_table, parent_table, "column"
ORDER BY count(*) DESC, table_name, parent_table


-- name: quarantine_samples
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


-- name: left_out
-- Legacy rows that became none of their own, by rule.
SELECT table_name AS "table", legacy_table, outcome, rule, count(*)::bigint AS "rows"
FROM {left_out}
WHERE source_id = %(source_id)s
GROUP BY table_name, legacy_table, outcome, rule
ORDER BY table_name, legacy_table, outcome, rule

-- name: matrix
-- Rows per column, legacy word and label, of the rows at hand that an opinion expects. Rows that wait have no label yet.
WITH waiting AS (
    SELECT legacy_key, min(outcome) AS outcome
    FROM (
        SELECT legacy_key, 'quarantined' AS outcome, source_id, table_name, legacy_table, released_run FROM {quarantine}
        UNION ALL
        SELECT legacy_key, 'held', source_id, table_name, legacy_table, released_run FROM {held}
    ) AS open
    WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND released_run IS NULL
    GROUP BY legacy_key
),

-- There are few words and many rows: counted before the columns are told apart.
counted AS (
    SELECT {words}, {labels}, w.outcome, count(*) AS rows
    FROM (SELECT * FROM pg_temp.expected WHERE _legacy_table = {legacy_table}) AS e
    JOIN pg_temp.{legacy} AS l ON l.{key} = e._legacy_key::{key_type}
    LEFT JOIN waiting AS w ON w.legacy_key = e._legacy_key
    GROUP BY {groups}, w.outcome
)

SELECT pair.name, coalesce(pair.word, {null_word}), coalesce(c.outcome, pair.label, {no_label}), sum(c.rows)::bigint
FROM counted AS c
CROSS JOIN LATERAL (VALUES {pairs}) AS pair (name, word, label)
GROUP BY 1, 2, 3

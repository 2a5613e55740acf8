-- name: accounts
-- What stands for each key of one legacy table in one target table: each key once, what keeps it back before what it was.
WITH lost AS (
    SELECT legacy_key FROM {gone}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s AND returned_run IS NULL
), waiting AS (
    SELECT legacy_key, 'quarantined' AS outcome FROM {quarantine}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s AND released_run IS NULL
    UNION ALL
    SELECT h.legacy_key, 'held' FROM {held} AS h
    WHERE h.source_id = %(source_id)s AND h.table_name = %(table)s AND h.legacy_table = %(legacy_table)s
      AND h.released_run IS NULL
      AND NOT EXISTS (
          SELECT FROM {quarantine} AS q
          WHERE q.source_id = h.source_id AND q.table_name = h.table_name AND q.legacy_table = h.legacy_table
            AND q.legacy_key = h.legacy_key AND q.released_run IS NULL
      )
), left_out AS (
    SELECT l.legacy_key, CASE l.outcome WHEN 'merged' THEN 'merged' WHEN 'archived' THEN 'archived only' ELSE l.outcome END AS outcome
    FROM {left_out} AS l
    WHERE l.source_id = %(source_id)s AND l.table_name = %(table)s AND l.legacy_table = %(legacy_table)s
      AND NOT EXISTS (SELECT FROM waiting AS w WHERE w.legacy_key = l.legacy_key)
), mapped AS (
    SELECT m.legacy_key::text AS legacy_key,
        CASE m.state
            WHEN 'live' THEN CASE WHEN m.adopted THEN 'adopted' ELSE 'migrated' END
            WHEN 'deleted' THEN 'deleted in target'
            WHEN 'undone' THEN 'taken back'
            ELSE m.state
        END AS outcome
    FROM {map} AS m
    WHERE m.source_id = %(source_id)s AND m.legacy_table = %(legacy_table)s AND m.state <> 'decided'
      AND NOT EXISTS (SELECT FROM waiting AS w WHERE w.legacy_key = m.legacy_key::text)
      AND NOT EXISTS (SELECT FROM left_out AS l WHERE l.legacy_key = m.legacy_key::text)
)
SELECT outcome, count(*)::bigint
FROM (SELECT * FROM waiting UNION ALL SELECT * FROM left_out UNION ALL SELECT * FROM mapped) AS every
WHERE NOT EXISTS (SELECT FROM lost WHERE lost.legacy_key = every.legacy_key)
GROUP BY outcome


-- name: accounts_unmapped
-- The same of a target table that has no map: only what waits, or became nothing of its own.
SELECT outcome, count(*)::bigint
FROM (
    SELECT 'quarantined' AS outcome FROM {quarantine}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s AND released_run IS NULL
    UNION ALL
    SELECT 'held' FROM {held}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s AND released_run IS NULL
    UNION ALL
    SELECT CASE outcome WHEN 'archived' THEN 'archived only' ELSE outcome END FROM {left_out}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s
) AS every
GROUP BY outcome


-- name: passes
-- Rows of each legacy table as each asset last read it to the end.
SELECT table_name, legacy_table, legacy_rows FROM {passes} WHERE source_id = %(source_id)s


-- name: remarks
-- Rows that were carried with a remark, since the run that last read all rows of the table (a row read twice counts twice), and
-- decisions of the table that somebody should know of.
SELECT k.table_name AS "table", w.key AS rule, sum(w.value::bigint)::bigint AS "rows"
FROM {ledger} AS k
JOIN {runs} AS r ON r.id = k.run_id
JOIN {assets} AS a ON a.source_id = r.source_id AND a.table_name = k.table_name AND k.run_id >= a.full_run
CROSS JOIN LATERAL jsonb_each_text(k.warnings) AS w
WHERE r.source_id = %(source_id)s
GROUP BY k.table_name, w.key
UNION ALL
SELECT d.table_name, d.rule, count(*) FROM {decision_warnings} AS d WHERE d.source_id = %(source_id)s GROUP BY d.table_name, d.rule
ORDER BY 1, 2


-- name: tables
-- The tables that the target schema has.
SELECT c.relname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p')

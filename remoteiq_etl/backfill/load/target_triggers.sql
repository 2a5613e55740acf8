-- name: altered
-- In how many rows each column holds another value than the one that was written to it. One row, one number per column.
SELECT {counts}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
JOIN {target} AS t ON {target_join}
WHERE p.found IS NOT NULL AND p.action NOT IN ('quarantined', 'deferred')


-- name: lost
-- Rows that are not there after they were written: a trigger took them away again.
SELECT p._row
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
LEFT JOIN {target} AS t ON {target_join}
WHERE p.action IN ('inserted', 'recreated', 'moved', 'updated', 'taken') AND p._row BETWEEN %(first)s AND %(last)s
    AND t.{first_key} IS NULL


-- name: read_back
-- Rows that hold other values than those that were written to them.
UPDATE merge_plan AS p
SET found = c.current
FROM (
    SELECT p._row, {current_hash} AS current
    FROM {stage} AS s
    JOIN merge_plan AS p USING (_row)
    JOIN {target} AS t ON {target_join}
    WHERE p.action IN ('inserted', 'recreated', 'moved', 'updated', 'taken') AND p._row BETWEEN %(first)s AND %(last)s
        AND {current_hash} IS DISTINCT FROM {given_hash}
) AS c
WHERE c._row = p._row


-- name: triggers
-- Triggers and rules of a table, or of a partition of it, that may keep rows out or change what is written. set_updated_at is
-- known: it sets a column that is never compared.
WITH RECURSIVE parts AS (
    SELECT %(table)s::regclass::oid AS oid
    UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN parts AS p ON p.oid = i.inhparent
)

SELECT g.tgname::text AS name
FROM pg_catalog.pg_trigger AS g
JOIN pg_catalog.pg_proc AS f ON f.oid = g.tgfoid
WHERE g.tgrelid IN (SELECT oid FROM parts) AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A')
    AND (g.tgtype & 20) <> 0 AND f.proname <> 'set_updated_at'  -- 4: at an insert, 16: at an update
UNION
SELECT r.rulename::text
FROM pg_catalog.pg_rewrite AS r
WHERE r.ev_class IN (SELECT oid FROM parts) AND r.ev_type IN ('2', '3')
ORDER BY 1


-- name: warn_altered
-- One warning per column, by the run that saw it first.
INSERT INTO {decision_warnings} (source_id, table_name, rule, legacy_table, legacy_key, run_id)
SELECT {source_id}, {asset}, {rule}, {legacy_table}, c.name, {run_id}
FROM unnest(%(columns)s::text[]) AS c (name)
ON CONFLICT DO NOTHING

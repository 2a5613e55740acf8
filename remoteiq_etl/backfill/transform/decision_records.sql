-- name: drop_rows
-- What a decide step no longer keeps of this source.
DELETE FROM {table} AS known
WHERE known.source_id = {source_id}
    AND NOT EXISTS (SELECT FROM json_populate_recordset(NULL::{table}, %(rows)s::json) AS v WHERE {same_key})


-- name: keep_rows
-- The rows that a decide step keeps in a table of the state schema: what is new or changed is written, the rest stays as it is.
INSERT INTO {table} AS known (source_id, run_id, {columns})
SELECT {source_id}, {run_id}, {values}
FROM json_populate_recordset(NULL::{table}, %(rows)s::json) AS v
ON CONFLICT ({key}) DO UPDATE SET {assignments}, run_id = EXCLUDED.run_id
WHERE ROW({current}) IS DISTINCT FROM ROW({incoming})


-- name: keep_warnings
-- The warnings of one asset as they hold now. One that has held since an earlier run stays as that run found it.
WITH given AS MATERIALIZED (
    SELECT v.rule, v.legacy_table, v.legacy_key
    FROM json_to_recordset(%(rows)s::json) AS v (rule text, legacy_table text, legacy_key text)
),

dropped AS (
    DELETE FROM {warnings} AS w
    WHERE w.source_id = %(source_id)s AND w.table_name = %(asset)s AND w.rule NOT IN ('changed_by_target', 'key_taken', 'kept_by_target')  -- no decision's
        AND (w.rule, w.legacy_table, w.legacy_key) NOT IN (SELECT g.rule, g.legacy_table, g.legacy_key FROM given AS g)
)

INSERT INTO {warnings} (source_id, table_name, rule, legacy_table, legacy_key, run_id)
SELECT %(source_id)s, %(asset)s, g.rule, g.legacy_table, g.legacy_key, %(run_id)s
FROM given AS g
ON CONFLICT DO NOTHING

-- The warnings of one asset as they hold now. One that has held since an earlier run stays as that run found it.
WITH given AS MATERIALIZED (
    SELECT v.rule, v.legacy_table, v.legacy_key
    FROM json_to_recordset(%(rows)s::json) AS v (rule text, legacy_table text, legacy_key text)
),

dropped AS (
    DELETE FROM {warnings} AS w
    WHERE w.source_id = %(source_id)s AND w.table_name = %(asset)s
        AND (w.rule, w.legacy_table, w.legacy_key) NOT IN (SELECT g.rule, g.legacy_table, g.legacy_key FROM given AS g)
)

INSERT INTO {warnings} (source_id, table_name, rule, legacy_table, legacy_key, run_id)
SELECT %(source_id)s, %(asset)s, g.rule, g.legacy_table, g.legacy_key, %(run_id)s
FROM given AS g
ON CONFLICT DO NOTHING

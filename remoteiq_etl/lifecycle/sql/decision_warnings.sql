-- One row per warning of a decide step of a source that a selection takes, by table and rule.
SELECT table_name AS "table", rule, legacy_table, legacy_key, run_id AS run, found_at AS since
FROM {decision_warnings}
WHERE source_id = %(source_id)s
    AND (%(tables)s::text[] IS NULL OR table_name = ANY (%(tables)s) OR legacy_table = ANY (%(tables)s))
    AND (%(rules)s::text[] IS NULL OR rule = ANY (%(rules)s))
ORDER BY table_name, rule, legacy_table, legacy_key

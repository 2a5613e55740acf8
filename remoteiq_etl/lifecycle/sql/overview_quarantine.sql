-- One row per open quarantined row of a source, by table and rule. A null filter lets everything pass.
SELECT table_name AS "table", legacy_table, legacy_key, rule, columns, detail, attempts, quarantined_at AS since, last_run
FROM {quarantine}
WHERE source_id = %(source_id)s AND released_run IS NULL
  AND (%(tables)s::text[] IS NULL OR table_name = ANY (%(tables)s) OR legacy_table = ANY (%(tables)s))
  AND (%(rules)s::text[] IS NULL OR rule = ANY (%(rules)s))
ORDER BY table_name, rule, legacy_table, legacy_key

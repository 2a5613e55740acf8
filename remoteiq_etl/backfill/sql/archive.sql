-- A value that was sealed stays sealed when it comes without a key: a lost key takes nothing back.
-- Of two tables that read the same row, the first one's name stands.
INSERT INTO {archive} AS known (source_id, legacy_table, legacy_key, "column", value, rule, withheld, sealed, key_id, table_name, run_id)
SELECT
    {source_id}, {legacy_table}, v.legacy_key, v."column", v.value::jsonb, v.rule, v.withheld, v.sealed, split_part(v.sealed, '.', 2),
    {table_name}, {run_id}
FROM json_to_recordset(%(rows)s::json)
    AS v (legacy_key text, "column" text, value text, rule text, withheld boolean, sealed text)
ON CONFLICT (source_id, legacy_table, legacy_key, "column") DO UPDATE SET
    value = EXCLUDED.value, rule = EXCLUDED.rule, withheld = EXCLUDED.withheld, sealed = EXCLUDED.sealed, key_id = EXCLUDED.key_id,
    table_name = coalesce(known.table_name, EXCLUDED.table_name), run_id = EXCLUDED.run_id
WHERE NOT (EXCLUDED.withheld AND known.sealed IS NOT NULL)
    AND (
        (known.value, known.rule, known.withheld, known.sealed)
            IS DISTINCT FROM (EXCLUDED.value, EXCLUDED.rule, EXCLUDED.withheld, EXCLUDED.sealed)
        OR known.table_name IS NULL
    )

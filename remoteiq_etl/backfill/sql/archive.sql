INSERT INTO {archive} AS known (source_id, legacy_table, legacy_key, "column", value, rule, withheld, run_id)
SELECT {source_id}, {legacy_table}, v.legacy_key, v."column", v.value, v.rule, v.withheld, {run_id}
FROM json_to_recordset(%(rows)s::json) AS v (legacy_key text, "column" text, value jsonb, rule text, withheld boolean)
ON CONFLICT (source_id, legacy_table, legacy_key, "column") DO UPDATE SET
    value = EXCLUDED.value, rule = EXCLUDED.rule, withheld = EXCLUDED.withheld, run_id = EXCLUDED.run_id
WHERE (known.value, known.rule, known.withheld) IS DISTINCT FROM (EXCLUDED.value, EXCLUDED.rule, EXCLUDED.withheld)

INSERT INTO {archive} AS known (source_id, legacy_table, legacy_key, "column", value, rule, withheld, run_id)
VALUES ({source_id}, {legacy_table}, %(legacy_key)s, %(column)s, %(value)s, %(rule)s, %(withheld)s, {run_id})
ON CONFLICT (source_id, legacy_table, legacy_key, "column") DO UPDATE SET
    value = EXCLUDED.value, rule = EXCLUDED.rule, withheld = EXCLUDED.withheld, run_id = EXCLUDED.run_id
WHERE (known.value, known.rule, known.withheld) IS DISTINCT FROM (EXCLUDED.value, EXCLUDED.rule, EXCLUDED.withheld)

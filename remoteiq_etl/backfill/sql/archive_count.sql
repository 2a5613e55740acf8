INSERT INTO {archive_counts}
    (run_id, table_name, legacy_table, "column", rule, "rows", bytes, clear, sealed, withheld, retired)
VALUES ({run_id}, {table_name}, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (run_id, table_name, legacy_table, "column", rule) DO UPDATE SET
    "rows" = EXCLUDED."rows", bytes = EXCLUDED.bytes, clear = EXCLUDED.clear, sealed = EXCLUDED.sealed,
    withheld = EXCLUDED.withheld, retired = EXCLUDED.retired

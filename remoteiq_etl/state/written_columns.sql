-- name: written_columns
INSERT INTO {written_columns} AS known (source_id, table_name, legacy_table, columns)
VALUES ({source_id}, {table_name}, {legacy_table}, %(columns)s)
ON CONFLICT (source_id, table_name, legacy_table) DO UPDATE SET columns = EXCLUDED.columns
WHERE known.columns <> EXCLUDED.columns

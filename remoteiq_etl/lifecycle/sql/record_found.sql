-- A table that was there before us; one that we created in an earlier run stays ours.
INSERT INTO {schema_owner} (schema_name, table_name, created_by_us, finalized)
VALUES (%s, %s, false, true)
ON CONFLICT (schema_name, table_name) DO NOTHING

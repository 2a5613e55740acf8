INSERT INTO {schema_owner} (schema_name, table_name, created_by_us, finalized)
VALUES (%s, %s, true, false)
ON CONFLICT (schema_name, table_name) DO UPDATE SET created_by_us = true, finalized = false

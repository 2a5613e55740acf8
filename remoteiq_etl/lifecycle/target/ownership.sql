-- name: left_out
-- Foreign keys first: from then on they refuse what would have to be found later.
SELECT name, table_name, ddl, validate, state
FROM {removed}
WHERE schema_name = %s AND state <> 'valid'
ORDER BY validate IS NULL, table_name, name


-- name: record_found
-- A table that was there before us; one that we created in an earlier run stays ours.
INSERT INTO {schema_owner} (schema_name, table_name, created_by_us, finalized)
VALUES (%s, %s, false, true)
ON CONFLICT (schema_name, table_name) DO NOTHING


-- name: record_function
INSERT INTO {replaced_functions} (schema_name, name, definition)
VALUES (%s, %s, %s)
ON CONFLICT (schema_name, name) DO UPDATE SET definition = excluded.definition, replaced_at = now()


-- name: record_left_out
-- What is left out once more, because its table was created again, is to be made once more.
INSERT INTO {removed} (schema_name, name, table_name, ddl, validate, state)
VALUES (%s, %s, %s, %s, %s, 'pending')
ON CONFLICT (schema_name, name)
DO UPDATE SET table_name = excluded.table_name, ddl = excluded.ddl, validate = excluded.validate, state = 'pending'


-- name: record_owner
INSERT INTO {schema_owner} (schema_name, table_name, created_by_us, finalized)
VALUES (%s, %s, true, false)
ON CONFLICT (schema_name, table_name) DO UPDATE SET created_by_us = true, finalized = false

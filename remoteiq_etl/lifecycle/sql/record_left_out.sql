-- What is left out once more, because its table was created again, is to be made once more.
INSERT INTO {removed} (schema_name, name, table_name, ddl, validate, state)
VALUES (%s, %s, %s, %s, %s, 'pending')
ON CONFLICT (schema_name, name)
DO UPDATE SET table_name = excluded.table_name, ddl = excluded.ddl, validate = excluded.validate, state = 'pending'

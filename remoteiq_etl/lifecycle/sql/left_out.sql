-- Foreign keys first: from then on they refuse what would have to be found later.
SELECT name, table_name, ddl, validate, state
FROM {removed}
WHERE schema_name = %s AND state <> 'valid'
ORDER BY validate IS NULL, table_name, name

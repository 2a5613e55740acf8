-- Foreign keys and indexes that were left out for the load and are not back.
SELECT name AS key FROM {removed} WHERE schema_name = %(schema)s AND state <> 'valid'

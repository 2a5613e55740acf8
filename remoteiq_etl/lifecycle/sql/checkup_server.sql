-- One row about the server, the database and the connected role. The rights on the schema are null when there is none.
SELECT
    pg_catalog.current_setting('server_version_num')::integer AS version_number,
    pg_catalog.current_setting('server_version') AS version,
    pg_catalog.current_setting('server_encoding') AS encoding,
    pg_catalog.pg_is_in_recovery() AS standby,
    pg_catalog.current_database() AS database,
    current_user AS role,
    (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser,
    pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create_schemas,
    (SELECT pg_catalog.has_schema_privilege(oid, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s) AS may_use_schema,
    (SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s) AS may_create_tables

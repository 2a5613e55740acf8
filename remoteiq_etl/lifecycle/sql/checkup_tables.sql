-- One row per table of a schema with what the connected role may do to it, and whether it sees all of its rows.
SELECT
    c.relname AS name,
    pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may_read,
    pg_catalog.has_table_privilege(c.oid, 'INSERT') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
        AND pg_catalog.has_table_privilege(c.oid, 'DELETE') AS may_write,
    pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS may_change,
    pg_catalog.row_security_active(c.oid) AS rows_hidden
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p')
ORDER BY c.relname

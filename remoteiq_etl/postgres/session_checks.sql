-- name: hidden
-- Tables of a schema of which the connected role does not see every row, and that role.
SELECT c.relname, current_user
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid)
ORDER BY c.relname

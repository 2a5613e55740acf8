-- name: extensions
-- Extensions whose objects lie in a schema, and whether they can be moved out of it.
SELECT e.extname::text, e.extrelocatable
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE n.nspname = %(schema)s
ORDER BY 1


-- name: schema
-- A schema of this name: its oid, and whether the role that asks may rename it.
SELECT n.oid::bigint, pg_catalog.pg_has_role(n.nspowner, 'USAGE')
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname = %(schema)s


-- name: tables
SELECT c.relname::text
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p')
ORDER BY 1


-- name: name_of
SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n WHERE n.oid = %(oid)s::bigint::oid

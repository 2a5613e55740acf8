-- name: may_create
SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user


-- name: relations
-- How many tables and views of nobody's extension lie in these schemas.
SELECT count(*)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')


-- name: emptying
-- The statements that drop what a rehearsal made in schemas that were empty; what belongs to an extension stays.
SELECT format('DROP %%s IF EXISTS %%I.%%I CASCADE', one.kind, one.schema_name, one.name)
FROM (
    SELECT
        CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
        n.nspname AS schema_name, c.relname AS name, c.oid, 1 AS place
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT 'TYPE', n.nspname, t.typname, t.oid, 2
    FROM pg_catalog.pg_type AS t
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
    WHERE n.nspname = ANY (%(schemas)s) AND t.typtype = 'e'
    UNION ALL
    SELECT 'FUNCTION', n.nspname, p.proname, p.oid, 3
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = ANY (%(schemas)s) AND p.prokind = 'f'
) AS one
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = one.oid AND d.deptype = 'e')
ORDER BY one.place, one.name

-- name: grants
-- Who may write to the tables of a schema, or to a column of one, from whom and with which right; of nobody PUBLIC has it.
WITH tables AS (
    SELECT c.oid, c.relname, c.relowner, coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner)) AS acl
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'f')
)
SELECT
    t.relname::text AS "table",
    g.column_name::text AS "column",
    g.privilege_type AS privilege,
    pg_catalog.pg_get_userbyid(g.grantor)::text AS grantor,
    CASE WHEN g.grantee <> 0 THEN pg_catalog.pg_get_userbyid(g.grantee)::text END AS grantee,
    g.is_grantable AS grantable,
    g.grantor = t.relowner AS by_owner
FROM tables AS t
CROSS JOIN LATERAL (
    SELECT NULL::name AS column_name, e.* FROM pg_catalog.aclexplode(t.acl) AS e
    UNION ALL
    SELECT a.attname, e.*
    FROM pg_catalog.pg_attribute AS a
    CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) AS e
    WHERE a.attrelid = t.oid AND NOT a.attisdropped
) AS g
WHERE g.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
ORDER BY 1, 2 NULLS FIRST, 3, 4, 5 NULLS FIRST


-- name: missing_roles
SELECT r.name FROM unnest(%(roles)s::text[]) AS r (name)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS p WHERE p.rolname = r.name)


-- name: read_only_settings
-- What is set for new sessions of this database, of a role or of everybody (null), and what of a role in all databases.
SELECT r.rolname::text AS role, s.setdatabase <> 0 AS is_here, split_part(c.setting, '=', 2) AS value
FROM pg_catalog.pg_db_role_setting AS s
CROSS JOIN LATERAL unnest(s.setconfig) AS c (setting)
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
WHERE split_part(c.setting, '=', 1) = 'default_transaction_read_only'
    AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()))


-- name: writers
-- Roles that may write to a table of the schema all the same, and why, as far as that can be told.
SELECT DISTINCT
    r.rolname::text,
    CASE WHEN r.rolsuper THEN 'a superuser' ELSE 'by PUBLIC, or as a member of another role' END
FROM pg_catalog.pg_roles AS r
CROSS JOIN pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.rolname = ANY (%(roles)s) AND n.nspname = %(schema)s AND c.relkind IN ('r', 'p')
    AND (
        pg_catalog.has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
        OR pg_catalog.has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE')
    )
ORDER BY 1

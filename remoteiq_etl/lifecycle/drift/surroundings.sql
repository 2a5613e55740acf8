-- name: size
-- Bytes of a schema's tables with their indexes and long values.
SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'm')


-- name: data_directory
-- Where the server keeps its data, for a role that may know it; null for any other.
SELECT CASE
    WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
      OR pg_catalog.pg_has_role(current_user, 'pg_read_all_settings', 'MEMBER')
    THEN pg_catalog.current_setting('data_directory')
END


-- name: settings
-- What the role, the database, or both together set for every new session.
SELECT
    split_part(s.setting, '=', 1) AS name,
    substr(s.setting, strpos(s.setting, '=') + 1) AS value,
    CASE
        WHEN d.setrole = 0 THEN 'the database'
        WHEN d.setdatabase = 0 THEN 'the role'
        ELSE 'the role in this database'
    END AS set_by
FROM pg_catalog.pg_db_role_setting AS d
CROSS JOIN unnest(d.setconfig) AS s (setting)
WHERE d.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
  AND d.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user))
ORDER BY 1, 3


-- name: clock
SELECT pg_catalog.clock_timestamp()


-- name: collation
SELECT datcollate, datctype FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()


-- name: collation_versions
-- The version with which the database was made and the one that the machine has now; both null where there is none.
SELECT datcollversion, pg_catalog.pg_database_collation_actual_version(oid)
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()

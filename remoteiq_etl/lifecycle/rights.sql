-- name: legacy
-- On the server of the legacy database, as a superuser, connected to {database}:

-- The reader: it may read the tables, and can do no more.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {reader_text}) THEN CREATE ROLE {reader} LOGIN; END IF;
END $$;
GRANT CONNECT ON DATABASE {database} TO {reader};
GRANT USAGE ON SCHEMA {schema} TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader};
GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {reader};

-- The administrator, for cut-over and cleanup alone: it may do what the owners of the tables and of the database may, and end
-- sessions. What a superuser owns it may not: nobody becomes one by this script. Make it on the day, and drop it afterwards.
DO $$ DECLARE owner name; BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {administrator_text}) THEN
        CREATE ROLE {administrator} LOGIN;
    END IF;
    FOR owner IN
        SELECT r.rolname FROM pg_catalog.pg_roles AS r
        WHERE r.rolname <> {administrator_text} AND NOT r.rolsuper AND r.oid IN (
            SELECT c.relowner FROM pg_catalog.pg_class AS c
            WHERE c.relnamespace = {schema_text}::pg_catalog.regnamespace AND c.relkind IN ('r', 'p')
            UNION SELECT d.datdba FROM pg_catalog.pg_database AS d WHERE d.datname = {database_text}
        )
    LOOP
        EXECUTE pg_catalog.format('GRANT %I TO %I', owner, {administrator_text});
    END LOOP;
END $$;
GRANT pg_signal_backend, pg_read_all_stats TO {administrator};


-- name: target
-- On the server of the target database, as a superuser, connected to {database}:

-- The writer: it creates what is missing, and our own schema beside it.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {writer_text}) THEN CREATE ROLE {writer} LOGIN; END IF;
END $$;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {writer};
CREATE SCHEMA IF NOT EXISTS {schema};
GRANT USAGE, CREATE ON SCHEMA {schema} TO {writer};
{extensions}

-- Tables that the application's own script made keep their owner; the writer may write them.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {writer};
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {schema} TO {writer};

-- The function that sets updated_at is replaced by one that keeps carried times during a load, which its owner alone may do.
DO $$ BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_proc
        WHERE pronamespace = {schema_text}::pg_catalog.regnamespace AND proname = 'set_updated_at' AND pronargs = 0
    ) THEN
        ALTER FUNCTION {schema}.set_updated_at() OWNER TO {writer};
    END IF;
END $$;

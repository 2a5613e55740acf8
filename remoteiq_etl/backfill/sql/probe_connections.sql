-- Per cent of the connections that an ordinary role may open. pg_stat_database counts them for a role that sees no other's.
SELECT 100.0 * (SELECT sum(d.numbackends) FROM pg_catalog.pg_stat_database AS d)
    / greatest(1, pg_catalog.current_setting('max_connections')::integer
        - pg_catalog.current_setting('superuser_reserved_connections')::integer)

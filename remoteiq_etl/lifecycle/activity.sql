-- name: activity
-- What is another after every write to these tables, for a role that may only read them. On a standby, and where the server
-- does not count, any transaction of the server that writes.
WITH RECURSIVE tree AS (
    -- The rows of a partitioned table are written to its partitions, and counted there.
    SELECT c.oid AS relation
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s)
    UNION
    SELECT i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.relation
)
SELECT
    CASE
        WHEN pg_catalog.current_setting('track_counts')::boolean AND NOT pg_catalog.pg_is_in_recovery() THEN (
            -- A restart and a reset begin to count anew; TRUNCATE counts nothing, but gives the table another file.
            SELECT pg_catalog.concat_ws(
                '/', 'writes', sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del),
                pg_catalog.md5(pg_catalog.string_agg(c.relname || c.relfilenode, ',' ORDER BY c.relname)),
                extract(epoch FROM pg_catalog.pg_postmaster_start_time()),
                (SELECT extract(epoch FROM d.stats_reset) FROM pg_catalog.pg_stat_database AS d
                 WHERE d.datname = pg_catalog.current_database())
            )
            FROM tree AS t
            JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.relation
            JOIN pg_catalog.pg_class AS c ON c.oid = t.relation
        )
        ELSE 'transactions/' || pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text
    END

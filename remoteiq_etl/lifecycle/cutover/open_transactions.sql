-- name: prepared
-- Transactions that were prepared for a second phase: they are open though no session has them.
SELECT NULL::integer, owner::text, 'a prepared transaction', 'prepared', prepared AT TIME ZONE 'UTC', true, false
FROM pg_catalog.pg_prepared_xacts
WHERE database = pg_catalog.current_database() AND (%(roles)s::text[] = '{{}}' OR owner = ANY (%(roles)s))


-- name: sessions
-- Sessions of others with this database: whether each has a transaction that is older than the fence and may still write, and
-- whether it began before the fence. A session that may not be looked into counts as one with such a transaction.
SELECT
    a.pid,
    a.usename::text,
    coalesce(nullif(a.application_name, ''), '?'),
    a.state,
    a.xact_start AT TIME ZONE 'UTC',
    CASE
        WHEN a.state IS NULL THEN true
        WHEN a.xact_start IS NULL OR a.xact_start > %(fenced_at)s THEN false
        -- Without rights only what runs already, or has written, can write.
        WHEN %(writers_only)s THEN a.backend_xid IS NOT NULL OR a.state NOT LIKE 'idle%%'
        ELSE true
    END,
    a.backend_start <= %(fenced_at)s
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = pg_catalog.current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
    AND a.application_name <> %(own)s AND (%(roles)s::text[] = '{{}}' OR a.usename = ANY (%(roles)s))
ORDER BY a.xact_start NULLS LAST, a.pid


-- name: sees_all
SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), pg_catalog.pg_has_role(current_user, 'pg_signal_backend', 'USAGE')


-- name: terminate
SELECT pg_catalog.pg_terminate_backend(p.pid) FROM unnest(%(pids)s::integer[]) AS p (pid)

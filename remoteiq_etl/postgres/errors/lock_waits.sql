-- name: holders
-- Sessions that hold, or wait in front of us for, locks on relations which a statement names, that one session cannot get past.
SELECT
    l.pid,
    a.usename::text AS role,
    coalesce(nullif(a.application_name, ''), '?') AS application,
    a.state,
    a.xact_start AT TIME ZONE 'UTC' AS since,
    l.mode,
    l.granted,
    coalesce(c.relname::text, 'an advisory lock') AS held,
    CASE WHEN l.granted THEN '{{}}' ELSE pg_catalog.pg_blocking_pids(l.pid) END AS behind
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
LEFT JOIN pg_catalog.pg_class AS c ON l.locktype = 'relation' AND c.oid = l.relation AND c.relkind IN ('r', 'p', 'm', 'f')
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    AND l.pid <> ALL (%(own)s::integer[])
    AND l.pid <> pg_catalog.pg_backend_pid()
    AND CASE
        WHEN l.locktype = 'advisory' THEN pg_catalog.strpos(%(statement)s, 'advisory') > 0
        WHEN n.nspname = 'pg_catalog' THEN false
        WHEN l.locktype = 'relation' AND pg_catalog.strpos(%(statement)s, c.relname) > 0
            THEN l.mode = 'AccessExclusiveLock' OR (%(writes)s AND l.granted
                AND (l.mode <> 'AccessShareLock' OR pg_catalog.strpos(%(statement)s, 'ACCESS EXCLUSIVE') > 0))
        ELSE false
    END
ORDER BY a.xact_start NULLS LAST, l.pid
LIMIT 20

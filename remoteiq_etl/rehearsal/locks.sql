-- name: held
-- The locks on tables that our other sessions hold in this database.
SELECT l.pid, format('%%s.%%s', n.nspname, c.relname), l.mode
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.granted AND a.application_name = %(ours)s AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND n.nspname !~ '^pg_' AND c.relkind IN ('r', 'p')

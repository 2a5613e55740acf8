-- The sessions that wait for a lock which one of these sessions holds. pg_locks shows everybody's, to everybody.
SELECT waiting.pid
FROM (SELECT DISTINCT l.pid FROM pg_catalog.pg_locks AS l WHERE NOT l.granted) AS waiting
WHERE pg_catalog.pg_blocking_pids(waiting.pid) && %(ours)s::integer[]

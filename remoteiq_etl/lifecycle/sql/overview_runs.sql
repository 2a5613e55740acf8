-- One row per run of a source, the latest first. A run whose lock nobody holds is not running any more, whatever it says.
SELECT
    r.id,
    CASE
        WHEN r.status = 'running' AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_locks AS l
            WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
              AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
              AND (l.classid::bigint << 32) | l.objid::bigint
                  = pg_catalog.hashtextextended('remoteiq_etl/' || r.source_id, 0)
        ) THEN 'interrupted'
        ELSE r.status
    END AS status,
    r.orchestrator_run_id,
    r.started_at,
    extract(epoch FROM coalesce(r.finished_at, CASE WHEN r.status = 'running' THEN pg_catalog.clock_timestamp() END) - r.started_at)::float8
        AS seconds,
    coalesce(k.rows_read, 0)::bigint AS rows_read,
    coalesce(k.tables, 0)::bigint AS tables,
    r.error
FROM {runs} AS r
LEFT JOIN (
    SELECT run_id, sum("read") AS rows_read, count(DISTINCT table_name) AS tables FROM {ledger} GROUP BY run_id
) AS k ON k.run_id = r.id
WHERE r.source_id = %(source_id)s
ORDER BY r.id DESC
LIMIT %(limit)s

-- name: archive
-- One row per legacy column and rule: what the archive holds now, and what the last run that looked found retired.
SELECT
    a.legacy_table,
    a."column",
    a.rule,
    count(*) AS "rows",
    sum(coalesce(octet_length(a.value::text), 0) + coalesce(octet_length(a.sealed), 0))::bigint AS bytes,
    count(a.value) AS clear,
    count(a.sealed) AS sealed,
    count(*) FILTER (WHERE a.withheld) AS withheld,
    0::bigint AS retired
FROM {legacy_archive} AS a
WHERE a.source_id = %(source_id)s
  AND (%(tables)s::text[] IS NULL OR a.legacy_table = ANY (%(tables)s) OR a.table_name = ANY (%(tables)s))
GROUP BY a.legacy_table, a."column", a.rule
UNION ALL
(
    SELECT DISTINCT ON (c.legacy_table, c."column")
        c.legacy_table, c."column", c.rule, c."rows", c.bytes, c.clear, c.sealed, c.withheld, c.retired
    FROM {archive_counts} AS c
    JOIN {runs} AS r ON r.id = c.run_id
    WHERE r.source_id = %(source_id)s AND c.rule = 'retired'
      AND (%(tables)s::text[] IS NULL OR c.legacy_table = ANY (%(tables)s) OR c.table_name = ANY (%(tables)s))
    ORDER BY c.legacy_table, c."column", c.run_id DESC
)
ORDER BY legacy_table, "column", rule


-- name: archive_of_run
-- The same as one run recorded it, for the tables that it loaded.
SELECT c.legacy_table, c."column", c.rule, c."rows", c.bytes, c.clear, c.sealed, c.withheld, c.retired
FROM {archive_counts} AS c
JOIN {runs} AS r ON r.id = c.run_id
WHERE r.source_id = %(source_id)s AND c.run_id = %(run)s
  AND (%(tables)s::text[] IS NULL OR c.legacy_table = ANY (%(tables)s) OR c.table_name = ANY (%(tables)s))
ORDER BY c.legacy_table, c."column", c.rule


-- name: runs
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


-- name: tables
-- One row per target table that a run of the source has touched or completed, or that has open rows.
WITH committed AS (
    SELECT k.table_name, max(k.run_id) AS last_run, max(k.committed_at) AS last_commit
    FROM {ledger} AS k
    JOIN {runs} AS r ON r.id = k.run_id
    WHERE r.source_id = %(source_id)s
    GROUP BY k.table_name
), completed AS (
    SELECT a.table_name, a.run_id, r.started_at AS full_pass_at, a.swept_at
    FROM {assets} AS a
    LEFT JOIN {runs} AS r ON r.id = a.full_run
    WHERE a.source_id = %(source_id)s
), passed AS (
    SELECT table_name, min(passed_at) AS passed_at FROM {passes} WHERE source_id = %(source_id)s GROUP BY table_name
), quarantined AS (
    SELECT table_name, count(*) AS quarantined, count(ignored_at) AS ignored,
        min(quarantined_at) FILTER (WHERE ignored_at IS NULL) AS oldest
    FROM {quarantine} WHERE source_id = %(source_id)s AND released_run IS NULL GROUP BY table_name
), waiting AS (
    SELECT table_name, count(*) AS held FROM {held}
    WHERE source_id = %(source_id)s AND released_run IS NULL GROUP BY table_name
), disputed AS (
    SELECT table_name, count(*) AS conflicts FROM {conflicts}
    WHERE source_id = %(source_id)s AND resolved_run IS NULL GROUP BY table_name
)
SELECT
    table_name AS name,
    greatest(committed.last_run, completed.run_id) AS last_run,
    committed.last_commit,
    passed.passed_at,
    extract(epoch FROM pg_catalog.clock_timestamp() - passed.passed_at)::float8 AS behind,
    completed.full_pass_at,
    completed.swept_at,
    coalesce(quarantined.quarantined, 0) AS quarantined,
    coalesce(quarantined.ignored, 0) AS ignored,
    quarantined.oldest AS oldest_quarantined_at,
    coalesce(waiting.held, 0) AS held,
    coalesce(disputed.conflicts, 0) AS conflicts
FROM committed
FULL JOIN completed USING (table_name)
FULL JOIN passed USING (table_name)
FULL JOIN quarantined USING (table_name)
FULL JOIN waiting USING (table_name)
FULL JOIN disputed USING (table_name)
ORDER BY table_name

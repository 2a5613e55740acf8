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

-- One row per target table that a run of the source has touched or that has open rows.
WITH known AS (
    SELECT k.table_name, max(k.run_id) AS last_run, max(k.committed_at) AS last_commit
    FROM {ledger} AS k
    JOIN {runs} AS r ON r.id = k.run_id
    WHERE r.source_id = %(source_id)s
    GROUP BY k.table_name
), waiting AS (
    SELECT table_name, count(*) AS quarantined, 0 AS held, 0 AS conflicts FROM {quarantine}
    WHERE source_id = %(source_id)s AND released_run IS NULL GROUP BY table_name
    UNION ALL
    SELECT table_name, 0, count(*), 0 FROM {held}
    WHERE source_id = %(source_id)s AND released_run IS NULL GROUP BY table_name
    UNION ALL
    SELECT table_name, 0, 0, count(*) FROM {conflicts}
    WHERE source_id = %(source_id)s AND resolved_run IS NULL GROUP BY table_name
)
SELECT
    table_name AS name,
    max(known.last_run) AS last_run,
    max(known.last_commit) AS last_commit,
    coalesce(sum(waiting.quarantined), 0)::bigint AS quarantined,
    coalesce(sum(waiting.held), 0)::bigint AS held,
    coalesce(sum(waiting.conflicts), 0)::bigint AS conflicts
FROM known FULL JOIN waiting USING (table_name)
GROUP BY table_name
ORDER BY table_name

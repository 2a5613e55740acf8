-- name: waiting
-- What is open of one target table, of the legacy tables that an asset reads, how old its snapshot is, and when it was last
-- swept. One row.
SELECT q.quarantined, q.ignored, q.oldest, h.held, c.conflicts,
    (SELECT count(*) FROM {decision_warnings} AS w WHERE w.source_id = %(source_id)s AND w.table_name = %(asset)s) AS warnings,
    extract(epoch FROM pg_catalog.clock_timestamp() - %(snapshot_at)s)::float8 AS behind,
    (SELECT a.swept_at FROM {assets} AS a WHERE a.source_id = %(source_id)s AND a.table_name = %(asset)s) AS swept
FROM (
    SELECT
        count(*) AS quarantined,
        count(*) FILTER (WHERE ignored_at IS NOT NULL) AS ignored,
        min(quarantined_at) FILTER (WHERE ignored_at IS NULL) AS oldest
    FROM {quarantine}
    WHERE source_id = %(source_id)s AND table_name = %(table_name)s AND legacy_table = ANY (%(legacy_tables)s)
      AND released_run IS NULL
) AS q
CROSS JOIN (
    SELECT count(*) AS held FROM {held}
    WHERE source_id = %(source_id)s AND table_name = %(table_name)s AND legacy_table = ANY (%(legacy_tables)s)
      AND released_run IS NULL
) AS h
CROSS JOIN (
    SELECT count(*) AS conflicts FROM {conflicts}
    WHERE source_id = %(source_id)s AND table_name = %(table_name)s AND legacy_table = ANY (%(legacy_tables)s)
      AND resolved_run IS NULL
) AS c

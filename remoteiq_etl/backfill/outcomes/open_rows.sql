-- name: waiting
-- What is open of target tables, of the legacy tables that an asset reads, how old its snapshot is, and when it was last swept.
-- One row for each asset.
SELECT o.asset, q.quarantined, q.ignored, q.oldest, h.held, c.conflicts,
    (SELECT count(*) FROM {decision_warnings} AS w WHERE w.source_id = %(source_id)s AND w.table_name = o.asset) AS warnings,
    extract(epoch FROM pg_catalog.clock_timestamp() - %(snapshot_at)s)::float8 AS behind,
    (SELECT a.swept_at FROM {assets} AS a WHERE a.source_id = %(source_id)s AND a.table_name = o.asset) AS swept
FROM jsonb_to_recordset(%(asked)s) AS o (asset text, table_name text, legacy_tables text[])
CROSS JOIN LATERAL (
    SELECT
        count(*) AS quarantined,
        count(*) FILTER (WHERE ignored_at IS NOT NULL) AS ignored,
        min(quarantined_at) FILTER (WHERE ignored_at IS NULL) AS oldest
    FROM {quarantine}
    WHERE source_id = %(source_id)s AND table_name = o.table_name AND legacy_table = ANY (o.legacy_tables)
      AND released_run IS NULL
) AS q
CROSS JOIN LATERAL (
    SELECT count(*) AS held FROM {held}
    WHERE source_id = %(source_id)s AND table_name = o.table_name AND legacy_table = ANY (o.legacy_tables)
      AND released_run IS NULL
) AS h
CROSS JOIN LATERAL (
    SELECT count(*) AS conflicts FROM {conflicts}
    WHERE source_id = %(source_id)s AND table_name = o.table_name AND legacy_table = ANY (o.legacy_tables)
      AND resolved_run IS NULL
) AS c

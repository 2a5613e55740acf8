-- Rows that cannot be carried. A reason that is not the row's last one any more moves to its history, which keeps the latest.
-- Who ignores a row has accepted its content and the rule that stopped it: when either changes, that is over.
INSERT INTO {quarantine} AS known
    (source_id, legacy_table, legacy_key, table_name, rule, columns, detail, "row", source_hash, first_run, last_run)
SELECT {source_id}, {legacy_table}, v.legacy_key, {table_name}, v.rule, v.columns, v.detail, v."row", decode(v.hash, 'hex'), {run_id}, {run_id}
FROM json_to_recordset(%(rows)s::json) AS v (legacy_key text, rule text, columns text[], detail text, "row" jsonb, hash text)
ON CONFLICT (source_id, legacy_table, legacy_key, table_name) DO UPDATE SET
    rule = EXCLUDED.rule, columns = EXCLUDED.columns, detail = EXCLUDED.detail, "row" = EXCLUDED."row",
    source_hash = EXCLUDED.source_hash, last_run = EXCLUDED.last_run, attempts = known.attempts + 1, released_run = NULL,
    quarantined_at = CASE WHEN known.released_run IS NULL THEN known.quarantined_at ELSE EXCLUDED.quarantined_at END,
    ignored_at = CASE WHEN {as_ignored} THEN known.ignored_at END,
    ignored_by = CASE WHEN {as_ignored} THEN known.ignored_by END,
    ignored_reason = CASE WHEN {as_ignored} THEN known.ignored_reason END,
    history = CASE
        WHEN known.released_run IS NULL AND (known.ignored_at IS NULL OR {as_ignored})
            AND (known.rule, known.columns, known.detail) = (EXCLUDED.rule, EXCLUDED.columns, EXCLUDED.detail)
            THEN known.history
        ELSE {recent} || jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
            'rule', known.rule, 'columns', known.columns, 'detail', known.detail, 'attempts', known.attempts,
            'last_run', known.last_run, 'released_run', known.released_run,
            'ignored_by', known.ignored_by, 'ignored_reason', known.ignored_reason)))
    END

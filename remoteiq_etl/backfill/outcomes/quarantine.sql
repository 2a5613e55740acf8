-- name: as_ignored
(known.released_run IS NULL AND known.rule = EXCLUDED.rule AND known."row" = EXCLUDED."row"
    AND known.source_hash IS NOT DISTINCT FROM EXCLUDED.source_hash)


-- name: held
-- Rows that wait for a parent. A parent that is not the one they wait for any more moves to their history.
INSERT INTO {held} AS known
    (source_id, legacy_table, legacy_key, table_name, parent_table, parent_key, "column", source_hash, first_run, last_run)
SELECT {source_id}, {legacy_table}, v.legacy_key, {table_name}, v.parent_table, v.parent_key, v."column", decode(v.hash, 'hex'), {run_id}, {run_id}
FROM json_to_recordset(%(rows)s::json) AS v (legacy_key text, parent_table text, parent_key text, "column" text, hash text)
ON CONFLICT (source_id, legacy_table, legacy_key, table_name) DO UPDATE SET
    parent_table = EXCLUDED.parent_table, parent_key = EXCLUDED.parent_key, "column" = EXCLUDED."column",
    source_hash = EXCLUDED.source_hash, last_run = EXCLUDED.last_run, attempts = known.attempts + 1, released_run = NULL,
    held_at = CASE WHEN known.released_run IS NULL THEN known.held_at ELSE EXCLUDED.held_at END,
    history = CASE
        WHEN known.released_run IS NULL AND (known.parent_table, known.parent_key, known."column")
            = (EXCLUDED.parent_table, EXCLUDED.parent_key, EXCLUDED."column")
            THEN known.history
        ELSE {recent} || jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
            'parent_table', known.parent_table, 'parent_key', known.parent_key, 'column', known."column",
            'attempts', known.attempts, 'last_run', known.last_run, 'released_run', known.released_run)))
    END


-- name: left_out
INSERT INTO {left_out} AS known (source_id, table_name, legacy_table, legacy_key, outcome, rule, source_hash, run_id)
SELECT {source_id}, {table_name}, {legacy_table}, v.legacy_key, v.outcome, v.rule, decode(v.hash, 'hex'), {run_id}
FROM json_to_recordset(%(rows)s::json) AS v (legacy_key text, outcome text, rule text, hash text)
ON CONFLICT (source_id, table_name, legacy_table, legacy_key) DO UPDATE SET
    outcome = EXCLUDED.outcome, rule = EXCLUDED.rule, source_hash = EXCLUDED.source_hash, run_id = EXCLUDED.run_id
WHERE (known.outcome, known.rule, known.source_hash) IS DISTINCT FROM (EXCLUDED.outcome, EXCLUDED.rule, EXCLUDED.source_hash)


-- name: quarantine
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


-- name: recent
(CASE WHEN jsonb_array_length(coalesce(known.history, '[]')) < {most} THEN coalesce(known.history, '[]')
    ELSE known.history - 0 END)


-- name: waits_again
DELETE FROM {left_out}
WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND legacy_key = ANY (%s)

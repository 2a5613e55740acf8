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

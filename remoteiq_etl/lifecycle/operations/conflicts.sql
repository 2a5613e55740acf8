-- name: conflict_list
-- Conflicts by table and key, the open ones first. A row is named by its new or its legacy key.
SELECT
    id, table_name AS "table", new_key, legacy_table, legacy_key, reason, columns, last_written, current, incoming, first_run, last_run,
    found_at, decision, decision_reason, decided_at, resolution, resolved_run
FROM {conflicts}
WHERE source_id = %(source_id)s
    AND (%(tables)s::text[] IS NULL OR table_name = ANY (%(tables)s))
    AND (%(key)s::text IS NULL OR %(key)s IN (new_key, legacy_key))
    AND (resolved_run IS NULL OR NOT %(only_open)s)
ORDER BY table_name, resolved_run IS NOT NULL, legacy_table, legacy_key, id


-- name: decide_conflicts
-- An operator's decision about open conflicts. A run that resolves one meanwhile was first.
UPDATE {conflicts}
SET decision = %(decision)s, decision_reason = %(reason)s, decided_at = now()
WHERE id = ANY (%(ids)s) AND resolved_run IS NULL

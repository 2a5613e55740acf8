-- name: decision_warnings
-- One row per warning of a decide step of a source that a selection takes, by table and rule.
SELECT table_name AS "table", rule, legacy_table, legacy_key, run_id AS run, found_at AS since
FROM {decision_warnings}
WHERE source_id = %(source_id)s
    AND (%(tables)s::text[] IS NULL OR table_name = ANY (%(tables)s) OR legacy_table = ANY (%(tables)s))
    AND (%(rules)s::text[] IS NULL OR rule = ANY (%(rules)s))
ORDER BY table_name, rule, legacy_table, legacy_key


-- name: details
-- The same rows with everything that is known of them.
SELECT
    table_name AS "table", legacy_table, legacy_key, rule, columns, detail, attempts, quarantined_at AS since, last_run,
    ignored_at, ignored_by, ignored_reason, {word} AS word, first_run, released_run, "row", coalesce(history, '[]') AS history
FROM {quarantine}
WHERE {selected}
ORDER BY table_name, legacy_table, legacy_key


-- name: ignore
-- Let rows be ignored, or, without a reason, no longer.
UPDATE {quarantine}
SET ignored_at = CASE WHEN %(reason)s::text IS NOT NULL THEN pg_catalog.clock_timestamp() END,
    ignored_by = CASE WHEN %(reason)s::text IS NOT NULL THEN %(actor)s::text END,
    ignored_reason = %(reason)s::text
WHERE {selected}


-- name: rows
-- One row per quarantined row of a source that a selection takes, by table and rule.
SELECT
    table_name AS "table", legacy_table, legacy_key, rule, columns, detail, attempts, quarantined_at AS since, last_run,
    ignored_at, ignored_by, ignored_reason, {word} AS word
FROM {quarantine}
WHERE {selected}
ORDER BY table_name, rule, legacy_table, legacy_key


-- name: word
CASE WHEN rule = 'unknown_word' THEN
    (SELECT string_agg("row" ->> named.name, ', ' ORDER BY named.name) FROM unnest(columns) AS named (name))
END


-- name: where
source_id = %(source_id)s
  AND (%(released)s OR released_run IS NULL)
  AND (%(tables)s::text[] IS NULL OR table_name = ANY (%(tables)s) OR legacy_table = ANY (%(tables)s))
  AND (%(rules)s::text[] IS NULL OR rule = ANY (%(rules)s))
  AND (%(keys)s::text[] IS NULL OR legacy_key = ANY (%(keys)s))
  AND (%(ignored)s::boolean IS NULL OR (ignored_at IS NOT NULL) = %(ignored)s)

-- name: rows
-- One row per open held row of a source, by parent, with what is known of the parent.
SELECT
    h.parent_table, h.parent_key,
    (
        SELECT min(q.rule)
        FROM {quarantine} AS q
        WHERE q.source_id = h.source_id AND q.table_name = h.parent_table AND q.legacy_key = h.parent_key
            AND q.released_run IS NULL
    ) AS parent_rule,
    EXISTS (
        SELECT
        FROM {held} AS p
        WHERE p.source_id = h.source_id AND p.table_name = h.parent_table AND p.legacy_key = h.parent_key
            AND p.released_run IS NULL
            AND (p.table_name, p.legacy_table, p.legacy_key) <> (h.table_name, h.legacy_table, h.legacy_key)
    ) AS parent_waits,
    h.table_name AS "table", h.legacy_table, h.legacy_key, h."column", h.attempts, h.held_at AS since, h.last_run
FROM {held} AS h
WHERE h.source_id = %(source_id)s AND h.released_run IS NULL
    AND (%(tables)s::text[] IS NULL OR h.table_name = ANY (%(tables)s) OR h.legacy_table = ANY (%(tables)s))
ORDER BY
    count(*) OVER (PARTITION BY h.parent_table, h.parent_key) DESC,
    h.parent_table, h.parent_key, h.table_name, h.legacy_table, h.legacy_key

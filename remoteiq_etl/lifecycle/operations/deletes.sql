-- name: rows
-- One row per legacy row and target table that is gone and has not come back.
SELECT
    table_name AS "table", legacy_table, legacy_key, new_key, outcome, reason, holder, first_run, found_at AS since
FROM {gone}
WHERE source_id = %(source_id)s AND returned_run IS NULL
    AND (%(tables)s::text[] IS NULL OR table_name = ANY (%(tables)s::text[]))
ORDER BY table_name, legacy_table, legacy_key

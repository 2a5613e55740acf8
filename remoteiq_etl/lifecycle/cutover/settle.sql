-- name: last_run_carries
-- Whether the last run of a source, whatever became of it, was one of a cut-over.
SELECT r.options ? 'cut_over'
FROM {runs} AS r
WHERE r.source_id = %(source_id)s AND r.status <> 'plan'
ORDER BY r.id DESC
LIMIT 1


-- name: rename_schema
-- What prepare and finalize know of the target's tables goes by the name of its schema.
WITH owner AS (
    UPDATE {schema_owner} SET schema_name = %(new)s WHERE schema_name = %(old)s
), functions AS (
    UPDATE {replaced_functions} SET schema_name = %(new)s WHERE schema_name = %(old)s
)
UPDATE {removed} SET schema_name = %(new)s WHERE schema_name = %(old)s

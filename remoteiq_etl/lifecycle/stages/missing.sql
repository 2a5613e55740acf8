-- name: completed
-- The assets that a run has completed and that nobody has forgotten or taken back since.
SELECT table_name FROM {assets} WHERE source_id = %(source_id)s AND fingerprint <> %(forgotten)s


-- name: last_run
-- The last run that was no plan.
SELECT id, status, error FROM {runs} WHERE source_id = %(source_id)s AND status <> 'plan' ORDER BY id DESC LIMIT 1


-- name: parts
-- Foreign keys and indexes of a target schema that are still to be made or validated.
SELECT count(*) FROM {removed} WHERE schema_name = %(schema)s AND state <> 'valid'

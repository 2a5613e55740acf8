-- name: begin_rows
-- The rows of the plan, and those that stay: they have no part in the proof.
INSERT INTO {undo_rows}
    (undo_id, table_name, new_key, action, done, legacy_table, legacy_key, first_image, last_image, row_hash, lost)
SELECT
    %(undo_id)s, u.table_name, u.new_key, CASE u.verdict WHEN 'free' THEN u.action ELSE 'keep' END, u.verdict <> 'free',
    u.legacy_table, u.legacy_key, u.first_image, u.last_image, u.row_hash, u.lost
FROM undoing AS u
WHERE u.verdict IN ('free', 'kept')


-- name: begin_undo
INSERT INTO {undos} (source_id, digest, plan, status, actor, begun_at, last_run)
VALUES (%(source_id)s, %(digest)s, %(plan)s, 'executing', %(actor)s, clock_timestamp(),
    (SELECT max(r.id) FROM {runs} AS r WHERE r.source_id = %(source_id)s))
RETURNING id


-- name: forget_passes
-- The next run reads these tables as a whole.
DELETE FROM {table} AS p WHERE p.source_id = %(source_id)s AND p.table_name = ANY (%(assets)s)


-- name: images_left
-- The rest of the scope: images of rows for which nothing was to be done. Those of rows that stay as they are still stand.
UPDATE {before_images} AS b
SET undone_by = %(undo_id)s
WHERE b.source_id = {source_id} AND b.table_name = ANY (%(tables)s) AND b.undone_by IS NULL AND {of_run}
    AND (b.legacy_table IS NULL OR b.legacy_table = ANY (%(legacy_tables)s))
    AND NOT EXISTS (
        SELECT FROM {undo_rows} AS r
        WHERE r.undo_id = %(undo_id)s AND r.table_name = b.table_name AND r.new_key = b.new_key AND r.action = 'keep'
    )


-- name: warnings_undone
-- What the decisions of these loads warned of. The next run takes them, or says so, again.
DELETE FROM {decision_warnings} AS w WHERE w.source_id = %(source_id)s AND w.table_name = ANY (%(assets)s) AND {of_run}

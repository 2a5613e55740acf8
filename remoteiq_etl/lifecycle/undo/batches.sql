-- name: deleted_again
-- Legacy rows that were found gone, and whose target row is back: listed, as before they were dealt with.
UPDATE {gone} AS g
SET outcome = 'listed', reason = NULL, holder = NULL, done_run = NULL
FROM undo_batch AS r
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.new_key = r.new_key
    AND g.outcome IN ('deleted', 'withdrawn') AND {done_in_scope}


-- name: batch
-- The next rows of one table, locked; whether they are still what they were when the undo began.
CREATE TEMPORARY TABLE undo_batch ON COMMIT DROP AS
SELECT
    r.*,
    r.row_hash IS NOT DISTINCT FROM CASE WHEN {absent} THEN NULL ELSE {row_now} END AS as_planned,
    {absent} OR i.after_activity IS NOT DISTINCT FROM {activity} AS idle
FROM (
    SELECT *
    FROM {undo_rows}
    WHERE undo_id = %(undo_id)s AND table_name = {table_name} AND action = %(action)s AND NOT done
        AND deferred = %(deferred)s
    ORDER BY new_key
    LIMIT %(rows)s
) AS r
LEFT JOIN {target} AS t ON {row_join}
LEFT JOIN {before_images} AS i ON i.id = r.last_image


-- name: batch_done
UPDATE {undo_rows} AS u
SET done = true
FROM undo_batch AS r
WHERE u.undo_id = r.undo_id AND u.table_name = r.table_name AND u.new_key = r.new_key


-- name: conflicts_closed
-- Open conflicts about rows that are not ours any more: they go, or are nobody's again.
UPDATE {conflicts} AS k
SET resolved_run = {last_run}, resolution = 'undone'
FROM undo_batch AS r
LEFT JOIN {before_images} AS i ON i.id = r.first_image
WHERE k.source_id = {source_id} AND k.table_name = {table_name} AND k.new_key = r.new_key AND k.resolved_run IS NULL
    AND (r.action = 'delete' OR i.operation = 'adopt')


-- name: delete
DELETE FROM {target} AS t
USING undo_batch AS r
WHERE {row_join}


-- name: images_undone
UPDATE {before_images} AS b
SET undone_by = %(undo_id)s
FROM undo_batch AS r
WHERE b.source_id = {source_id} AND b.table_name = {table_name} AND b.new_key = r.new_key AND b.undone_by IS NULL AND {of_run}


-- name: lock_rows
-- Nobody can change these rows, or refer to them anew, until the batch is committed.
SELECT FROM {target} AS t
WHERE EXISTS (
    SELECT FROM (
        SELECT new_key
        FROM {undo_rows}
        WHERE undo_id = %(undo_id)s AND table_name = {table_name} AND action = %(action)s AND NOT done
            AND deferred = %(deferred)s
        ORDER BY new_key
        LIMIT %(rows)s
    ) AS r
    WHERE {row_join}
)
FOR UPDATE OF t


-- name: map_restored
-- The map says again what it said before the writes that were taken back. i names its table, too: a key is cast to the type
-- of this one, and that of another table may be no such value. Returns by how much that changed the number of live keys.
WITH restored AS (
    UPDATE {map} AS m
    SET
        new_key = r.new_key::{new_key_type}, state = 'live', source_hash = NULL, written_hash = i.written_hash,
        last_written = CASE WHEN m.last_written IS NOT NULL THEN coalesce(i.last_written, (
            SELECT jsonb_object_agg(w.key, s.shown -> w.key)
            FROM jsonb_object_keys(m.last_written) AS w (key), (SELECT {shown} AS shown OFFSET 0) AS s
        )) END,
        inserted_run = CASE WHEN {inserted_in_scope} AND r.action = 'insert' THEN NULL ELSE m.inserted_run END
    FROM undo_batch AS r
    JOIN {before_images} AS i ON i.id = r.first_image AND i.source_id = {source_id} AND i.table_name = {table_name}
    JOIN {target} AS t ON {row_join}
    WHERE m.source_id = {source_id} AND m.legacy_table = i.legacy_table AND m.legacy_key = i.legacy_key::{legacy_key_type}
        AND i.operation <> 'adopt' AND i.written_hash IS NOT NULL
    RETURNING EXISTS (
        SELECT FROM {map} AS b
        WHERE b.source_id = m.source_id AND b.legacy_table = m.legacy_table AND b.legacy_key = m.legacy_key AND b.state = 'live'
    ) AS was_live
)
SELECT count(*) FILTER (WHERE NOT was_live) FROM restored


-- name: map_undone
-- The keys that led to rows that are gone now, or are nobody's again: kept, with their decisions, for the next run. Returns by
-- how much that changed the number of live keys; what the statement sees of the map is what it was before.
WITH undone AS (
    UPDATE {map} AS m
    SET state = 'undone', adopted = false, written_hash = NULL, source_hash = NULL, inserted_run = NULL
    FROM undo_batch AS r
    LEFT JOIN {before_images} AS i ON i.id = r.first_image
    WHERE m.source_id = {source_id} AND m.state IN ('live', 'merged') AND m.new_key = r.new_key::{new_key_type}
        AND (r.action = 'delete' OR i.operation = 'adopt')
    RETURNING EXISTS (
        SELECT FROM {map} AS b
        WHERE b.source_id = m.source_id AND b.legacy_table = m.legacy_table AND b.legacy_key = m.legacy_key AND b.state = 'live'
    ) AS was_live
)
SELECT -count(*) FILTER (WHERE was_live) FROM undone


-- name: referred
-- A row that refers to one of the batch: it came after the plan was made.
SELECT r.new_key, {child_key}
FROM undo_batch AS r
JOIN {target} AS t ON {row_join}
JOIN {child} AS c ON {references}
LIMIT 1


-- name: waiting_rows
-- How many rows of one table wait for a value that another row has.
SELECT count(*) FROM {undo_rows} WHERE undo_id = %(undo_id)s AND table_name = {table_name} AND action = %(action)s AND deferred AND NOT done

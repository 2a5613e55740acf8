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

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

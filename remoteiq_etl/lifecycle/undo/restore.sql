-- name: free_parent
-- The key of a row of the parent that no row has now or gets back, another one for each row of the batch (r); without enough of
-- them the row's own value. t is the row.
coalesce((
    SELECT p.{key}
    FROM {parent} AS p
    WHERE NOT EXISTS (SELECT FROM {target} AS o WHERE o.{column} = p.{key})
        AND NOT EXISTS (
            SELECT FROM undo_batch AS w JOIN {before_images} AS i ON i.id = w.first_image
            WHERE i.image ->> {column_name} = p.{key}::text
        )
    ORDER BY p.{key}
    LIMIT 1 OFFSET (SELECT count(*) FROM undo_batch AS b WHERE b.new_key < r.new_key)
), t.{column})


-- name: images
-- What the rows of the batch get back, the oldest image of each row last: it has the last word.
SELECT r.new_key, b.id, b.image, b.withheld, b.sealed, r.idle, r.lost
FROM undo_batch AS r
JOIN {before_images} AS b ON b.source_id = {source_id} AND b.table_name = {table_name} AND b.new_key = r.new_key
    AND b.id BETWEEN r.first_image AND r.last_image AND b.undone_by IS NULL
ORDER BY r.new_key, b.id DESC


-- name: insert
INSERT INTO {target} ({columns})
SELECT {values}
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (image jsonb)
CROSS JOIN LATERAL jsonb_populate_record(NULL::{target}, v.image) AS f


-- name: restore
WITH formed AS (
    SELECT f.*
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (new_key text, image jsonb)
    JOIN {target} AS t ON {row_join}
    CROSS JOIN LATERAL jsonb_populate_record(t, v.image) AS f
)
UPDATE {target} AS t
SET {assignments}
FROM formed AS f
WHERE {same_key} AND to_jsonb(t) IS DISTINCT FROM to_jsonb(f)

-- What the rows of the batch get back, the oldest image of each row last: it has the last word.
SELECT r.new_key, b.id, b.image, b.withheld, b.sealed, r.idle, r.lost
FROM undo_batch AS r
JOIN {before_images} AS b ON b.source_id = {source_id} AND b.table_name = {table_name} AND b.new_key = r.new_key
    AND b.id BETWEEN r.first_image AND r.last_image AND b.undone_by IS NULL
ORDER BY r.new_key, b.id DESC

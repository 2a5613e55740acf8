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

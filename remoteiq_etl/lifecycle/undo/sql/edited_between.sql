-- Whether one of our writes found the row otherwise than the one before had left it: somebody edited it in between, and
-- the write was about other columns. Only images of the same columns can be compared.
SELECT
FROM (
    SELECT
        i.row_hash AS found,
        lag(i.after_hash) OVER writes AS left_as,
        c.names = lag(c.names) OVER writes AS comparable,
        lag(i.id) OVER writes IS NULL AND i.last_written IS NOT NULL AS first_found_other_values
    FROM {before_images} AS i
    CROSS JOIN LATERAL (SELECT {image_columns}(i.image, i.withheld, i.sealed) AS names OFFSET 0) AS c
    WHERE i.source_id = {source_id} AND i.table_name = {table_name} AND i.new_key = {key} AND i.undone_by IS NULL AND {which}
    WINDOW writes AS (ORDER BY i.id)
) AS w
WHERE w.comparable AND w.found <> w.left_as OR {first}

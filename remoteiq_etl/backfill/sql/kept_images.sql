WITH images AS (
    INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image, withheld)
    SELECT {source_id}, {run_id}, {table_name}, {new_key}, {operation}, i.image, {hidden}
    FROM {target} AS t
    CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i
    WHERE {affected}
    RETURNING id, withheld
)
SELECT id FROM images WHERE cardinality(withheld) > 0

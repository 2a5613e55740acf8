-- name: bulk_images
WITH images AS (
    INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image, withheld, {kept})
    SELECT {source_id}, {run_id}, {table_name}, {new_key}, {operation}, i.image, {hidden}, {keeping}, m.legacy_table, m.legacy_key,
        m.written_hash, m.last_written
    FROM {target} AS t
    CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i
    LEFT JOIN LATERAL ({mapped}) AS m ON true
    WHERE {affected}
    RETURNING id, withheld
)
SELECT id, cardinality(withheld) > 0 FROM images

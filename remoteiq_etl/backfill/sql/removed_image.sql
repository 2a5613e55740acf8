WITH images AS (
    INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image, withheld)
    SELECT {source_id}, {run_id}, {table_name}, m.new_key::text, 'delete', i.image, {hidden}
    FROM {map} AS m
    JOIN {target} AS t ON {key_join}
    CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i
    WHERE m.source_id = {source_id} AND m.legacy_table = %(table)s AND m.legacy_key = %(key)s
    RETURNING id, withheld
)
SELECT id FROM images WHERE cardinality(withheld) > 0

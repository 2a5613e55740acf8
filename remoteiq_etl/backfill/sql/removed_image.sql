WITH images AS (
    INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image, withheld, {kept})
    SELECT {source_id}, {run_id}, {table_name}, m.new_key::text, 'delete', i.image, {hidden}, {keeping}, m.legacy_table, m.legacy_key::text,
        m.written_hash, NULL::jsonb
    FROM {map} AS m
    JOIN {target} AS t ON {key_join}
    CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i
    WHERE m.source_id = {source_id} AND m.legacy_table = %(table)s AND m.legacy_key = %(key)s
    RETURNING id, withheld
)
SELECT id, cardinality(withheld) > 0 FROM images

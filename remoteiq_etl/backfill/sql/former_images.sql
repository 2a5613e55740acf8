WITH images AS (
    INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image, withheld, {kept})
    SELECT {source_id}, {run_id}, {table_name}, m.new_key::text, 'delete', i.image, {hidden}, {keeping}, m.legacy_table, m.legacy_key::text,
        m.written_hash, NULL::jsonb
    FROM merge_plan AS p
    JOIN {stage} AS s USING (_row)
    JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
    JOIN {target} AS t ON {former}
    CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i
    WHERE p.action = 'moved' AND p._row BETWEEN %(first)s AND %(last)s
    RETURNING id, withheld
)
SELECT id, cardinality(withheld) > 0 FROM images

-- OFFSET 0: the image is made once and then looked at, not made again for every look.
WITH images AS (
    INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image, withheld, {kept})
    SELECT
        {source_id}, {run_id}, {table_name}, p.new_key::text, CASE p.action WHEN 'adopted' THEN 'adopt' ELSE 'update' END,
        i.image, {hidden}, {keeping},
        {legacy_table}, s._key::text, m.written_hash, CASE WHEN {current_hash} IS DISTINCT FROM m.written_hash THEN m.last_written END
    FROM {stage} AS s
    JOIN merge_plan AS p USING (_row)
    JOIN {target} AS t ON {target_join}
    LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
    CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i
    WHERE (p.action IN ('adopted', 'updated', 'taken', 'touched') OR (p.newer AND p.action IN ('renewed', 'kept', 'conflict kept')))
        AND p._row BETWEEN %(first)s AND %(last)s
    RETURNING id, withheld
)
SELECT id, cardinality(withheld) > 0 FROM images

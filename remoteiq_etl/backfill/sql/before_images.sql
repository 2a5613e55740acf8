-- OFFSET 0: the image is made once and then looked at, not made again for every look.
WITH images AS (
    INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image, withheld)
    SELECT
        {source_id}, {run_id}, {table_name}, p.new_key::text, CASE p.action WHEN 'adopted' THEN 'adopt' ELSE 'update' END,
        i.image, {hidden}
    FROM {stage} AS s
    JOIN merge_plan AS p USING (_row)
    JOIN {target} AS t ON {target_join}
    CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i
    WHERE (p.action IN ('adopted', 'updated', 'taken', 'touched') OR (p.newer AND p.action IN ('renewed', 'kept', 'conflict kept')))
        AND p._row BETWEEN %(first)s AND %(last)s
    RETURNING id, withheld
)
SELECT id FROM images WHERE cardinality(withheld) > 0

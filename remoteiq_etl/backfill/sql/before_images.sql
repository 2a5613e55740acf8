INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image)
SELECT {source_id}, {run_id}, {table_name}, p.new_key::text, CASE p.action WHEN 'adopted' THEN 'adopt' ELSE 'update' END, {image}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
JOIN {target} AS t ON {target_join}
WHERE (p.action IN ('adopted', 'updated', 'touched') OR (p.newer AND p.action IN ('renewed', 'conflict kept')))
    AND p._row BETWEEN %(first)s AND %(last)s

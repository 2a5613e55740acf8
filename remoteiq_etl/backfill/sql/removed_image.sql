INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image)
SELECT {source_id}, {run_id}, {table_name}, m.new_key::text, 'delete', {redacted}(to_jsonb(t))
FROM {map} AS m
JOIN {target} AS t ON {key_join}
WHERE m.source_id = {source_id} AND m.legacy_table = %(table)s AND m.legacy_key = %(key)s

DELETE FROM {target} AS t
USING {map} AS m
WHERE m.source_id = {source_id} AND m.legacy_table = %(table)s AND m.legacy_key = %(key)s AND {key_join}

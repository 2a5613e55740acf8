DELETE FROM {left_out}
WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND legacy_key = ANY (%s)

INSERT INTO {resets} (source_id, table_name, legacy_table, legacy_key, take_legacy, recreate, figures, actor)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)

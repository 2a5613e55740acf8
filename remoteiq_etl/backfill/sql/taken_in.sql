-- Rows that were left out before and are written now.
DELETE FROM {left_out} AS o
USING {stage} AS s
WHERE o.source_id = {source_id} AND o.table_name = {table_name} AND o.legacy_table = {legacy_table} AND o.legacy_key = s._key::text

-- The next run reads these tables as a whole.
DELETE FROM {table} AS p WHERE p.source_id = %(source_id)s AND p.table_name = ANY (%(assets)s)

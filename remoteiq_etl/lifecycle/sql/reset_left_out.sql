UPDATE {left_out}
SET source_hash = NULL
WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s
    AND (%(keys)s::text[] IS NULL OR legacy_key = ANY (%(keys)s))

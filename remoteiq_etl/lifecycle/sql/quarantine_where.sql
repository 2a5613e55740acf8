source_id = %(source_id)s
  AND (%(released)s OR released_run IS NULL)
  AND (%(tables)s::text[] IS NULL OR table_name = ANY (%(tables)s) OR legacy_table = ANY (%(tables)s))
  AND (%(rules)s::text[] IS NULL OR rule = ANY (%(rules)s))
  AND (%(keys)s::text[] IS NULL OR legacy_key = ANY (%(keys)s))
  AND (%(ignored)s::boolean IS NULL OR (ignored_at IS NOT NULL) = %(ignored)s)

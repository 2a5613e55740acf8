-- The same as one run recorded it, for the tables that it loaded.
SELECT c.legacy_table, c."column", c.rule, c."rows", c.bytes, c.clear, c.sealed, c.withheld, c.retired
FROM {archive_counts} AS c
JOIN {runs} AS r ON r.id = c.run_id
WHERE r.source_id = %(source_id)s AND c.run_id = %(run)s
  AND (%(tables)s::text[] IS NULL OR c.legacy_table = ANY (%(tables)s) OR c.table_name = ANY (%(tables)s))
ORDER BY c.legacy_table, c."column", c.rule

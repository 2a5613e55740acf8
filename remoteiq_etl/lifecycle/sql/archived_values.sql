-- The values of one legacy row in the archive.
SELECT a."column" AS name, a.value::text AS clear, a.sealed, a.withheld, ARRAY[a.legacy_table, a.legacy_key] AS place
FROM {legacy_archive} AS a
WHERE a.source_id = %(source_id)s AND a.legacy_table = %(table)s AND a.legacy_key = %(key)s
  AND (%(column)s::text IS NULL OR a."column" = %(column)s)
ORDER BY a."column"

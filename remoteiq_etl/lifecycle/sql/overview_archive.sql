-- One row per legacy column and rule: what the archive holds now, and what the last run that looked found retired.
SELECT
    a.legacy_table,
    a."column",
    a.rule,
    count(*) AS "rows",
    sum(coalesce(octet_length(a.value::text), 0) + coalesce(octet_length(a.sealed), 0))::bigint AS bytes,
    count(a.value) AS clear,
    count(a.sealed) AS sealed,
    count(*) FILTER (WHERE a.withheld) AS withheld,
    0::bigint AS retired
FROM {legacy_archive} AS a
WHERE a.source_id = %(source_id)s
  AND (%(tables)s::text[] IS NULL OR a.legacy_table = ANY (%(tables)s) OR a.table_name = ANY (%(tables)s))
GROUP BY a.legacy_table, a."column", a.rule
UNION ALL
(
    SELECT DISTINCT ON (c.legacy_table, c."column")
        c.legacy_table, c."column", c.rule, c."rows", c.bytes, c.clear, c.sealed, c.withheld, c.retired
    FROM {archive_counts} AS c
    JOIN {runs} AS r ON r.id = c.run_id
    WHERE r.source_id = %(source_id)s AND c.rule = 'retired'
      AND (%(tables)s::text[] IS NULL OR c.legacy_table = ANY (%(tables)s) OR c.table_name = ANY (%(tables)s))
    ORDER BY c.legacy_table, c."column", c.run_id DESC
)
ORDER BY legacy_table, "column", rule

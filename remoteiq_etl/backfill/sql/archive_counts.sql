-- What the archive holds of the columns that one table archives.
SELECT
    a.legacy_table,
    a."column",
    a.rule,
    count(*) AS "rows",
    sum(coalesce(octet_length(a.value::text), 0) + coalesce(octet_length(a.sealed), 0))::bigint AS bytes,
    count(a.value) AS clear,
    count(a.sealed) AS sealed,
    count(*) FILTER (WHERE a.withheld) AS withheld
FROM {archive} AS a
WHERE a.source_id = {source_id} AND a.legacy_table = ANY (%(legacy_tables)s) AND a.table_name = {table_name}
GROUP BY a.legacy_table, a."column", a.rule
ORDER BY a.legacy_table, a."column", a.rule

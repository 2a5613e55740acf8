SELECT c.legacy_table, c."column", c.rule, c."rows", c.bytes, c.clear, c.sealed, c.withheld, c.retired
FROM {archive_counts} AS c
WHERE c.table_name = {table_name} AND c.run_id = (
    SELECT max(l.run_id)
    FROM {archive_counts} AS l
    JOIN {runs} AS r ON r.id = l.run_id
    WHERE l.table_name = {table_name} AND r.source_id = {source_id}
)
ORDER BY c.legacy_table, c."column", c.rule

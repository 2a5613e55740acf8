-- Columns of rows that differ about which a conflict is open, or which an operator decided to keep, and why.
SELECT d.n, c.columns, c.reason
FROM pg_temp.differences AS d
JOIN {conflicts} AS c ON c.new_key = d.key
WHERE c.source_id = {source_id} AND c.table_name = {table_name} AND c.resolved_run IS NULL
ORDER BY c.id

-- Rows that the last full pass over a table's legacy rows has an account of, by legacy table.
SELECT l.legacy_table, sum(l.read)::bigint AS read
FROM {ledger} AS l
WHERE l.run_id = {run_id} AND l.table_name = {table_name} AND l.primary_rows
GROUP BY l.legacy_table

-- name: newer_rows
-- Rows of a legacy table, how many of them are newer than a horizon, and where the first of these lie.
SELECT count(*), count(*) FILTER (WHERE {newer}), (array_agg(l.ctid::text) FILTER (WHERE {newer}))[1:{most}]
FROM {table} AS l

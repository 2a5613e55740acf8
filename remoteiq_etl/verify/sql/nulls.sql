-- Rows without a value that every row must have.
SELECT {key} AS key
FROM {target} AS t
WHERE {column} IS NULL
LIMIT {most}

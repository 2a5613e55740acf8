-- Rows that refer to a row which is not there.
SELECT {key} AS key
FROM {target} AS t
WHERE {is_set} AND NOT EXISTS (SELECT FROM {parent} AS p WHERE {same})
LIMIT {most}

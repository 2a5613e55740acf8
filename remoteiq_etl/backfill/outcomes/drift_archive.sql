-- name: extra_rows
-- The rows of a legacy table as they are archived: the parts of the key as texts, then the values as JSON texts.
SELECT {keys}, {values} FROM {table} AS {row} WHERE {wanted}


-- name: extra_rows_by_hash
-- The same where nothing keeps the rows apart: keyed by their hash, and by a number where rows are equal.
SELECT h.hash || CASE WHEN h.number = 1 THEN '' ELSE '#' || h.number END, {names}
FROM (
    SELECT k.*, row_number() OVER (PARTITION BY k.hash) AS number
    FROM (SELECT {hash} AS hash, {values} FROM {table} AS {row} WHERE {wanted}) AS k
) AS h

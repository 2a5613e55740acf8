-- Rows of the target that hold what a missing row should hold, under another key.
SELECT d.n, {twin_key} AS twin
FROM pg_temp.differences AS d
JOIN pg_temp.expected AS e ON {expected_key} = d.key
JOIN {target} AS t ON md5(ROW({target_columns})::text) = md5(ROW({expected_columns})::text)
WHERE d.kind = 'missing' AND d.n = ANY (%(lost)s)

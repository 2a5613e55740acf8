-- Rows, and the sums of the hashes of keys and of each column, by ranges of the keys' hashes.
SELECT (key & 4095)::int AS range, count(*)::numeric, {sums}
FROM (SELECT {hashes} FROM {rows}) AS r
GROUP BY 1

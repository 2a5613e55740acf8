-- Rows, and the sum of the hashes of each column, by ranges of the keys' hashes.
SELECT range, count(*)::numeric, {sums}
FROM (SELECT ('x' || substr(md5({key}), 1, 3))::bit(12)::int AS range, {hashes} FROM {rows}) AS r
GROUP BY range

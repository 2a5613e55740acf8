-- Key and hashes of each row in some ranges.
SELECT key, {numbers}
FROM (SELECT {key} AS key, ('x' || substr(md5({key}), 1, 3))::bit(12)::int AS range, {hashes} FROM {rows}) AS r
{within}

-- Key and hashes of each row in some ranges.
SELECT key, {numbers}
FROM (SELECT {key} AS key, ({key_hash} & 4095)::int AS range, {hashes} FROM {rows}) AS r
{within}

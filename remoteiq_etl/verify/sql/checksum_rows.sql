-- Key and hashes of each row in some ranges.
SELECT name, {numbers}
FROM (SELECT {key} AS name, {hashes} FROM {rows}) AS r
{within}

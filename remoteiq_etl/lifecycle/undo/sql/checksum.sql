-- Rows and checksum of what an undo leaves alone in one table. Sums of keyed hashes: the order of rows does not matter.
SELECT count(*), coalesce(sum(('x' || encode(substring(h.hash FOR 8), 'hex'))::bit(64)::bigint::numeric), 0)::text
FROM {table} AS t
CROSS JOIN LATERAL (SELECT {row_hash} AS hash OFFSET 0) AS h
WHERE {left_alone}

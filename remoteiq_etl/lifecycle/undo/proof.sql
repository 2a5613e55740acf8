-- name: changes
-- What the transaction in work has changed so far, whoever made it: cascades, set nulls and triggers count, too.
SELECT s.schemaname, s.relname, s.n_tup_del, s.n_tup_upd
FROM pg_catalog.pg_stat_xact_user_tables AS s
WHERE s.n_tup_del + s.n_tup_upd > 0 AND s.schemaname <> %s AND s.schemaname !~ '^pg_temp'


-- name: checksum
-- Rows and checksum of what an undo leaves alone in one table. Sums of keyed hashes: the order of rows does not matter.
SELECT count(*), coalesce(sum(('x' || encode(substring(h.hash FOR 8), 'hex'))::bit(64)::bigint::numeric), 0)::text
FROM {table} AS t
CROSS JOIN LATERAL (SELECT {row_hash} AS hash OFFSET 0) AS h
WHERE {unmanaged}


-- name: not_restored
-- Rows of the batch that are not what the image's hash says they were. Those with lost columns cannot be.
SELECT count(*)
FROM undo_batch AS r
JOIN {before_images} AS i ON i.id = r.first_image
LEFT JOIN {target} AS t ON {row_join}
WHERE cardinality(r.lost) = 0 AND i.row_hash IS DISTINCT FROM CASE WHEN {absent} THEN NULL ELSE {row_was} END

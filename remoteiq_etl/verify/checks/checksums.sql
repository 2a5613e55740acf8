-- name: checksum_rows
-- Key and hashes of each row in some ranges.
SELECT name, {numbers}
FROM (SELECT {key} AS name, {hashes} FROM {rows}) AS r
{within}


-- name: checksums
-- Rows, and the sums of the hashes of keys and of each column, by ranges of the keys' hashes.
SELECT (key & 4095)::int AS range, count(*)::numeric, {sums}
FROM (SELECT {hashes} FROM {rows}) AS r
GROUP BY 1


-- name: hash_probe
-- What this server makes of texts of every length and of letters of one to four bytes.
SELECT array_agg(hashtextextended(repeat(letter, times) COLLATE "C", 0) ORDER BY letter COLLATE "C", times)
FROM unnest(ARRAY['a', 'ä', '€', '😀']) AS letter, generate_series(0, 25) AS times


-- name: without_row
-- Legacy keys that wait, were left out, or lead to the row of another key or to none that is there.
SELECT legacy_key::text FROM {map} WHERE source_id = {source_id} AND legacy_table = {legacy_table} AND state <> 'live'
UNION
SELECT legacy_key
FROM (
    SELECT legacy_key FROM {left_out} WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table}
    UNION
    SELECT legacy_key
    FROM {quarantine}
    WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND released_run IS NULL
    UNION
    SELECT legacy_key
    FROM {held}
    WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND released_run IS NULL
) AS w
EXCEPT
SELECT legacy_key::text FROM {map} WHERE source_id = {source_id} AND legacy_table = {legacy_table} AND state = 'live'

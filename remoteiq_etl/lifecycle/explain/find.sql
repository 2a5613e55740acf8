-- name: near
-- Keys of one legacy table that are like a given one: beside it in order, or with the same beginning.
(SELECT legacy_key::text FROM {keys} WHERE {scope} AND legacy_key > %(key)s::text::{kind} ORDER BY legacy_key LIMIT 5)
UNION
(SELECT legacy_key::text FROM {keys} WHERE {scope} AND legacy_key < %(key)s::text::{kind} ORDER BY legacy_key DESC LIMIT 5)
UNION
(SELECT legacy_key::text FROM {keys} WHERE {scope} AND lower(left(legacy_key::text, 4) COLLATE "C") = lower(left(%(key)s::text, 4) COLLATE "C") LIMIT 200)


-- name: near_number
-- Keys that are numbers, by their distance from a given one.
SELECT legacy_key::text
FROM {keys}
WHERE {scope} AND legacy_key::text ~ '^[0-9]{{1,18}}$'
ORDER BY abs(CASE WHEN legacy_key::text ~ '^[0-9]{{1,18}}$' THEN legacy_key::text::numeric END - %(key)s::text::numeric)
LIMIT 5


-- name: runs
SELECT id, status, started_at, finished_at FROM {runs} WHERE id = ANY (%(ids)s) ORDER BY id

-- name: successors
-- Staged keys that were merged into a row so far, and the key of the same legacy table that the row was written from.
SELECT m.legacy_key::text, min(f.legacy_key::text)
FROM {stage} AS s
JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key AND m.state = 'merged'
JOIN {map} AS f ON f.source_id = m.source_id AND f.legacy_table = m.legacy_table AND f.new_key = m.new_key AND f.state = 'live'
WHERE NOT EXISTS (SELECT FROM {stage} AS o WHERE o._key = f.legacy_key)
GROUP BY 1

-- name: edited_rows
-- Which of these target rows are ours, and whether each is as it was last written.
SELECT m.new_key::text AS key, m.legacy_table, m.legacy_key::text AS legacy_key, {current_hash} = m.written_hash AS as_written
FROM {map} AS m
JOIN {target} AS t ON {key_join}
WHERE m.source_id = {source_id} AND m.state = 'live' AND m.legacy_table = {legacy_table} AND m.new_key::text = ANY (%(keys)s)

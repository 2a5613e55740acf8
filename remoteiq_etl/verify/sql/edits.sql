-- Rows of ours that are not as they were last written, and in which columns that can be told.
SELECT
    m.new_key::text AS new_key,
    m.legacy_key::text AS legacy_key,
    array_remove(ARRAY[{edited}]::text[], NULL) AS columns
FROM {map} AS m
JOIN {target} AS t ON {key_join}
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state = 'live' AND NOT m.adopted
    AND {only} AND m.written_hash <> {current_hash}

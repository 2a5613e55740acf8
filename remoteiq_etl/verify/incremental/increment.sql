-- name: written_since
-- Entries of the map that were written since a verification, and those of rows that were: few, so that two scans cost less
-- than a join.
SELECT m.legacy_table, m.legacy_key::text
FROM {map} AS m
WHERE m.source_id = {source_id} AND {newer_entry}
UNION
SELECT m.legacy_table, m.legacy_key::text
FROM {map} AS m
JOIN {target} AS t ON {key_join}
WHERE m.source_id = {source_id} AND {newer_row}
LIMIT {most}

-- How many legacy keys of a table the map leads anywhere.
SELECT count(*)
FROM {map}
WHERE source_id = {source_id} AND legacy_table = {legacy_table} AND state IN ('live', 'merged', 'deleted', 'undone')

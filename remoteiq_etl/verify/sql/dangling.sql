-- Keys of the map whose legacy row is not there, and what the last pass over gone rows said of it. One that stood for the row
-- and gave it to another key did so because it was gone, in the run that wrote the entry last.
SELECT
    m.legacy_key::text AS legacy_key,
    m.new_key::text AS new_key,
    g.outcome,
    m.last_run < {completed_run} OR (m.state = 'merged' AND m.written_hash IS NOT NULL) AS outlived,
    m.last_run > {finished_run} AS is_unfinished
FROM {map} AS m
LEFT JOIN {gone} AS g ON g.source_id = m.source_id AND g.table_name = {table_name} AND g.legacy_table = m.legacy_table
    AND g.legacy_key = m.legacy_key::text AND g.returned_run IS NULL
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state IN ('live', 'merged', 'deleted', 'undone')
    AND {is_gone}

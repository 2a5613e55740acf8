-- A key that stands for another row of the same table leads to that row, whatever id was expected when this was decided.
UPDATE {map} AS m
SET new_key = s.new_key, last_run = {run_id}
FROM {map} AS s
WHERE m.source_id = {source_id} AND m.decision ? 'same_as'
    AND s.source_id = {source_id} AND s.legacy_table = m.decision -> 'same_as' ->> 0 AND s.legacy_key = m.decision -> 'same_as' ->> 1
    AND s.new_key IS NOT NULL AND m.new_key IS DISTINCT FROM s.new_key

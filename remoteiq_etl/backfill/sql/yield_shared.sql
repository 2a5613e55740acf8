-- A row that several sources have belongs to the one that made it, else to the first that found it: the others change nothing of
-- it, whatever they wrote or adopted last.
UPDATE merge_plan AS p
SET action = 'conflict kept'
FROM {stage} AS s, {map} AS m, {map} AS o
WHERE s._row = p._row
    AND p.action IN ('updated', 'touched')
    AND m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
    AND o.new_key = p.new_key AND o.source_id <> {source_id} AND o.state = 'live'
    AND (o.adopted, o.first_run, o.source_id) < (m.adopted, m.first_run, m.source_id)

-- A row that several sources have belongs to the one that made it, else to the first that found it: the others change nothing of
-- it, whatever they wrote or adopted last, and whoever wins.
UPDATE merge_plan AS p
SET
    action = CASE WHEN p.action IN ('updated', 'touched') THEN 'conflict kept' ELSE p.action END,
    adopted = true,
    elsewhere = true
FROM {stage} AS s
LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key AND m.written_hash IS NOT NULL
WHERE s._row = p._row AND p.action IN ('updated', 'touched', 'conflict kept', 'adopted')
    AND EXISTS (
        SELECT FROM {map} AS o
        WHERE o.new_key = p.new_key AND o.source_id <> {source_id} AND o.state = 'live'
            AND (m.new_key IS NULL OR (o.adopted, o.first_run, o.source_id) < (m.adopted, m.first_run, m.source_id))
    )

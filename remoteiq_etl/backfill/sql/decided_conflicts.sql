-- What an operator decided about a row is done, as long as the sides are those that were listed.
UPDATE merge_plan AS p
SET action = f.action
FROM (
    SELECT p._row, CASE
        WHEN k.decision = 'take' THEN 'taken'
        WHEN p.action IN ('conflict kept', 'move refused') THEN 'kept'
        ELSE p.action
    END AS action
    FROM merge_plan AS p
    JOIN {stage} AS s USING (_row)
    JOIN {conflicts} AS k ON k.source_id = {source_id} AND k.table_name = {table_name} AND k.legacy_table = {legacy_table}
        AND k.legacy_key = s._key::text AND k.new_key = p.new_key::text AND k.resolved_run IS NULL
    LEFT JOIN {target} AS t ON {target_join}
    WHERE k.decision IS NOT NULL AND k.incoming_hash = p.incoming AND CASE p.action
        WHEN 'conflict kept' THEN k.reason <> {door}
            AND (k.decision = 'keep' OR k.current_hash = {current_hash} AND k.reason <> {elsewhere})
        WHEN 'unchanged' THEN k.reason = {adopted} AND k.decision = 'take' AND k.current_hash = {current_hash}
        ELSE p.action = 'move refused' AND k.decision = 'keep'
    END
) AS f
WHERE f._row = p._row

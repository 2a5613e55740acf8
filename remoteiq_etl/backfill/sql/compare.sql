-- Rows that legacy changed: has the target changed them, too? A column whose door is shut makes no conflict.
UPDATE merge_plan AS p
SET
    current = c.current,
    action = CASE
        WHEN c.current = c.incoming THEN 'renewed'
        WHEN c.current = p.written OR NOT c.edited THEN 'updated'
        ELSE 'conflict kept'
    END
FROM (
    SELECT p._row, {current_hash} AS current, {incoming_hash} AS incoming, {edited} AS edited
    FROM merge_plan AS p
    JOIN {stage} AS s USING (_row)
    JOIN {target} AS t ON {target_join}
    LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
    WHERE p.action = 'changed'
) AS c
WHERE c._row = p._row

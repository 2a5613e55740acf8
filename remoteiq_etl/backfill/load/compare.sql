-- name: compare
-- Rows that legacy changed: has the target changed them, too? A column whose door is shut makes no conflict. A row that was carried
-- back to legacy (a hash of one zero) is kept: what legacy has of it counts as written from now on.
UPDATE merge_plan AS p
SET
    current = c.current,
    action = CASE
        WHEN c.current = c.incoming THEN 'renewed'
        WHEN p.written = '\x00' THEN 'kept'
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


-- name: column_guards
-- The columns of which the target's value stays, whoever wins: one-way doors, and what an adopted row never gets.
UPDATE merge_plan AS p
SET shut = nullif(array_remove(ARRAY[{shut}]::text[], NULL), '{{}}')
FROM {stage} AS s
LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key,
    {target} AS t
WHERE p._row = s._row AND {target_join} AND (p.action = 'changed' OR p.adopted AND p.action = 'unchanged')


-- name: moves
-- Links that lead elsewhere now. The former one must be ours and as it was written, and nobody may have given the new one.
UPDATE merge_plan AS p
SET action = f.action
FROM (
    SELECT p._row, CASE
        WHEN NOT coalesce({there}, false) THEN {gone}
        WHEN p.present OR m.adopted OR {edited} OR {others} THEN 'move refused'
        ELSE 'moved'
    END AS action
    FROM merge_plan AS p
    JOIN {stage} AS s USING (_row)
    JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
    LEFT JOIN {target} AS t ON {former}
    WHERE p.action = 'moved'
) AS f
WHERE f._row = p._row AND f.action <> p.action

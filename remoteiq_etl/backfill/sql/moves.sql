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

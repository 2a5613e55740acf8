-- Open conflicts of the rows just looked at that are none any more. An edit is settled as soon as the row is written or
-- legacy is back at what was last written; a difference that stands (adopted, refused) when both sides agree.
UPDATE {conflicts} AS k
SET resolved_run = {run_id}, resolution = f.resolution
FROM (
    SELECT k.id, CASE
        WHEN k.new_key <> p.new_key::text THEN 'agreed'
        WHEN p.action = 'move refused' THEN NULL
        WHEN p.action = 'deleted in target' THEN 'deleted in target'
        WHEN p.action = 'kept' THEN 'keep'
        WHEN p.action = 'taken' AND k.reason <> {door} THEN coalesce(k.decision, 'take_legacy')
        WHEN p.action <> 'conflict kept' AND k.decision = 'keep' AND k.incoming_hash = p.incoming THEN 'keep'
        WHEN p.action <> 'conflict kept' AND k.reason = {edited} THEN 'agreed'
        WHEN NOT k.columns && {differing} THEN 'agreed'
    END AS resolution
    FROM merge_plan AS p
    JOIN {stage} AS s USING (_row)
    JOIN {conflicts} AS k ON k.source_id = {source_id} AND k.table_name = {table_name} AND k.legacy_table = {legacy_table}
        AND k.legacy_key = s._key::text AND k.resolved_run IS NULL
    LEFT JOIN {target} AS t ON {target_join}
    WHERE p.action NOT IN ('quarantined', 'deferred')
) AS f
WHERE f.id = k.id AND f.resolution IS NOT NULL

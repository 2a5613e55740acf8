-- name: conflict_rows
-- Target rows that differ from what legacy gives.
SELECT
    p.new_key::text AS new_key, s._key::text AS legacy_key, d.columns, m.last_written, {current} AS current, {incoming} AS incoming,
    p.incoming AS incoming_hash, {current_hash} AS current_hash, {reason} AS reason
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
JOIN {target} AS t ON {target_join}
LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
CROSS JOIN LATERAL (SELECT {columns} AS columns) AS d
WHERE {listed} AND cardinality(d.columns) > 0


-- name: conflicts
-- The conflict list. A decision stands as long as both sides are what the operator saw.
INSERT INTO {conflicts} AS known (
    source_id, table_name, new_key, legacy_table, legacy_key, columns, last_written, current, incoming, incoming_hash, current_hash,
    reason, first_run, last_run
)
SELECT
    {source_id}, {table_name}, c.new_key, {legacy_table}, c.legacy_key, c.columns, c.last_written, c.current, c.incoming, c.incoming_hash,
    c.current_hash, c.reason, {run_id}, {run_id}
FROM ({rows}) AS c
ON CONFLICT (source_id, table_name, legacy_table, legacy_key, new_key, reason) WHERE resolved_run IS NULL DO UPDATE SET
    columns = EXCLUDED.columns, last_written = EXCLUDED.last_written, current = EXCLUDED.current, incoming = EXCLUDED.incoming,
    incoming_hash = EXCLUDED.incoming_hash, current_hash = EXCLUDED.current_hash, last_run = EXCLUDED.last_run,
    decision = CASE
        WHEN (known.incoming_hash, known.current_hash) IS NOT DISTINCT FROM (EXCLUDED.incoming_hash, EXCLUDED.current_hash)
        THEN known.decision
    END


-- name: decided_conflicts
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
        WHEN 'conflict kept' THEN k.reason <> {guard}
            AND (k.decision = 'keep' OR k.current_hash = {current_hash} AND k.reason <> {elsewhere})
        WHEN 'unchanged' THEN k.reason = {adopted} AND k.decision = 'take' AND k.current_hash = {current_hash}
        ELSE p.action = 'move refused' AND k.decision = 'keep'
    END
) AS f
WHERE f._row = p._row


-- name: refused_moves
-- Links that legacy leads elsewhere and the target does not: what was written, what the owner has, and what legacy wants.
SELECT
    p.new_key::text AS new_key, s._key::text AS legacy_key, {columns} AS columns, {written} AS last_written,
    coalesce((SELECT jsonb_agg({current} ORDER BY {current}) FROM {target} AS t WHERE t.{owner} = s.{owner}), '[]') AS current,
    {incoming} AS incoming, p.incoming AS incoming_hash, NULL::bytea AS current_hash, {reason} AS reason
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
WHERE p.action = 'move refused'


-- name: settle_conflicts
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
        WHEN p.action = 'taken' AND k.reason <> {guard} THEN coalesce(k.decision, 'take_legacy')
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

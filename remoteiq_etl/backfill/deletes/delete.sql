-- name: delete
DELETE FROM {target} AS t
USING going AS g
WHERE g.table_name = {table_name} AND g.verdict = 'free' AND {row_join}


-- name: delete_some
DELETE FROM {target} AS t
USING going AS g
WHERE g.table_name = {table_name} AND g.verdict = 'free' AND g.new_key = ANY (%(keys)s) AND {row_join}


-- name: done
-- What was deleted; keys that were merged into a deleted row are deleted with it.
UPDATE {gone} AS g
SET outcome = 'deleted', reason = NULL, holder = NULL, judged_run = {run_id}, done_run = {run_id}
FROM (SELECT DISTINCT table_name, new_key FROM going WHERE verdict = 'free') AS k
WHERE g.source_id = {source_id} AND g.table_name = k.table_name AND g.new_key = k.new_key AND g.returned_run IS NULL


-- name: going
-- The rows of the next units that are to be looked at: everything gone that belongs to them. One that has been judged could not be
-- revoked.
CREATE TEMPORARY TABLE going ON COMMIT DROP AS
WITH next AS (
    SELECT DISTINCT g.unit
    FROM {gone} AS g
    WHERE g.source_id = {source_id} AND g.last_run = {run_id} AND g.returned_run IS NULL AND {members}
        AND g.outcome = 'listed' AND g.judged_run IS DISTINCT FROM {run_id}
    ORDER BY g.unit
    LIMIT {units}
)
SELECT
    g.table_name, g.legacy_table, g.legacy_key, g.new_key, g.unit,
    CASE WHEN g.outcome <> 'listed' THEN g.outcome WHEN g.judged_run = {run_id} THEN g.reason ELSE 'unknown' END AS verdict,
    g.holder
FROM {gone} AS g
WHERE g.source_id = {source_id} AND g.last_run = {run_id} AND g.returned_run IS NULL AND {members}
    AND g.outcome IN ('listed', 'withdrawn') AND g.unit IN (SELECT unit FROM next)


-- name: held
-- A row that another one refers to stays, unless that one goes with it. What the foreign key would do does not matter.
UPDATE going AS g
SET verdict = 'referred to', holder = f.holder
FROM (
    SELECT g.new_key, min({child_name} || {child_key}) AS holder
    FROM going AS g
    JOIN {target} AS t ON {row_join}
    JOIN {child} AS c ON {references}
    WHERE g.table_name = {table_name} AND g.verdict = 'free' {unless}
    GROUP BY g.new_key
) AS f
WHERE g.table_name = {table_name} AND g.verdict = 'free' AND g.new_key = f.new_key


-- name: judge
-- Whether a target row is ours, and still as we wrote it.
UPDATE going AS g
SET verdict = CASE
    WHEN m.adopted THEN 'adopted'
    WHEN {absent} THEN 'was deleted in target'
    WHEN m.state = 'merged' THEN 'merged'
    WHEN {kept} THEN 'withdrawn'
    WHEN EXISTS (
        SELECT FROM {map} AS o WHERE o.new_key = m.new_key AND o.source_id <> m.source_id AND o.state = 'live'
    ) THEN 'shared with another source'
    WHEN m.written_hash IS NULL OR {current_hash} IS DISTINCT FROM m.written_hash THEN 'edited in target'
    ELSE 'free' END
FROM {map} AS m
LEFT JOIN {target} AS t ON {key_join}
WHERE g.table_name = {table_name} AND g.legacy_table = {legacy_table} AND g.verdict = 'unknown'
    AND m.source_id = {source_id} AND m.legacy_table = g.legacy_table AND m.legacy_key = g.legacy_key::{key_type}


-- name: kept
-- A trigger or constraint of the target, which knows more than the references that were looked at.
UPDATE going AS g SET verdict = 'kept by target', holder = r.reason
FROM unnest(%(keys)s::text[], %(reasons)s::text[]) AS r (new_key, reason)
WHERE g.table_name = %(table)s AND g.new_key = r.new_key AND g.verdict = 'free'


-- name: lets_go
AND NOT EXISTS (
        SELECT FROM {map} AS o
        WHERE o.source_id = {source_id} AND o.state = 'live' AND NOT o.adopted AND {key_join} AND ({as_written})
            AND NOT EXISTS (
                SELECT FROM {gone} AS x
                WHERE x.source_id = o.source_id AND x.table_name = {table_name} AND x.legacy_table = o.legacy_table
                    AND x.legacy_key = o.legacy_key::text AND x.returned_run IS NULL
            )
    )


-- name: lock
-- Nobody can change these rows, or refer to them anew, until they are judged and gone.
SELECT FROM {target} AS t
JOIN (SELECT DISTINCT new_key FROM going WHERE table_name = {table_name} AND verdict = 'unknown') AS g ON {row_join}
ORDER BY {order}
FOR UPDATE OF t


-- name: map
-- Nothing is written any more: a row that comes back is inserted again, under the same key.
UPDATE {map} AS m
SET state = 'gone', written_hash = NULL, last_run = {run_id}
FROM going AS g
WHERE g.table_name = {table_name} AND g.verdict = 'free' AND m.new_key = g.new_key::{new_key_type}
    AND m.source_id = {source_id} AND m.state = {state}


-- name: outcome
-- What was found out about each row.
UPDATE {gone} AS g
SET
    outcome = CASE WHEN k.verdict IN ('was deleted in target', 'withdrawn') THEN k.verdict ELSE 'listed' END,
    reason = k.verdict,
    holder = k.holder,
    judged_run = {run_id}
FROM going AS k
WHERE g.source_id = {source_id} AND g.table_name = k.table_name AND g.legacy_table = k.legacy_table
    AND g.legacy_key = k.legacy_key


-- name: together
-- The rows that one legacy row became go together or not at all.
UPDATE going AS g
SET verdict = 'goes with another row', holder = f.holder
FROM (
    SELECT k.unit, min(k.table_name || ' ' || k.new_key) AS holder
    FROM going AS k
    WHERE k.verdict NOT IN ('free', 'merged', 'was deleted in target')
    GROUP BY k.unit
) AS f
WHERE g.verdict = 'free' AND g.unit = f.unit

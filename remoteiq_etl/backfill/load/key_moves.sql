-- name: copy
-- Under its new key beside the former one, so that what refers to the row can follow it.
INSERT INTO {target} ({columns})
SELECT {values}
FROM {target} AS t
JOIN key_moves AS k ON k.former = t.{key}
WHERE k._row = ANY (%(rows)s)


-- name: double
t.{column} IN (SELECT k.former FROM key_moves AS k WHERE k._row = ANY ({rows}))
    AND EXISTS (
        SELECT FROM key_moves AS k
        JOIN {child} AS o ON o.{column} = k.wanted
        WHERE k.former = t.{column} AND k._row = ANY ({rows}){same}
    )


-- name: drop_doubles
DELETE FROM {target} AS t WHERE {double}


-- name: follow
-- What refers to the row refers to it under its new key.
UPDATE {child} AS c
SET {column} = k.wanted
FROM key_moves AS k
WHERE c.{column} = k.former AND k._row = ANY (%(rows)s)


-- name: follow_map
-- Rows whose own key holds the one that they refer to: they move with it, and count as inserted by this run.
UPDATE {child_map} AS m
SET new_key = {new_key}, last_run = {run_id}, inserted_run = CASE WHEN m.state = 'live' AND NOT m.adopted THEN {run_id} ELSE m.inserted_run END
FROM key_moves AS k
WHERE m.new_key::json ->> {position} = k.former::text AND k._row = ANY (%(rows)s)


-- name: forget_doubles
-- Nothing is written any more: where legacy has them, they are found again beside those that are equal to them.
UPDATE {map} AS m
SET state = 'gone', written_hash = NULL, last_run = {run_id}
FROM {target} AS t
WHERE m.source_id = {source_id} AND m.state = 'live' AND NOT m.adopted AND {key_join} AND {double}


-- name: former_images
-- As they are before they move: an undo deletes a row under its new key, and makes it again under the former one.
WITH images AS (
    INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image, withheld, {kept})
    SELECT {source_id}, {run_id}, {table_name}, k.former::text, 'delete', i.image, {hidden}, {keeping}, m.legacy_table, m.legacy_key::text,
        m.written_hash, m.last_written
    FROM key_moves AS k
    JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = k.legacy_key
    JOIN {target} AS t ON t.{key} = k.former
    CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i
    WHERE k._row = ANY (%(rows)s)
    RETURNING id, withheld
)
SELECT id, cardinality(withheld) > 0 FROM images


-- name: free
-- Rows whose new key no row has, or none any more.
SELECT k._row
FROM key_moves AS k
WHERE k._row <> ALL (%(settled)s)
    AND NOT EXISTS (SELECT FROM {target} AS t WHERE t.{key} = k.wanted)
ORDER BY k._row


-- name: holders
SELECT h.legacy_table, h.legacy_key::text, k.legacy_key::text
FROM key_moves AS k
JOIN {map} AS h ON h.source_id = {source_id} AND h.new_key = k.wanted AND h.state = 'live'
WHERE k._row = ANY (%(rows)s)


-- name: leave
DELETE FROM {target} AS t
USING key_moves AS k
WHERE t.{key} = k.former AND k._row = ANY (%(rows)s)


-- name: map
-- All that led to the row leads to it under its new key.
UPDATE {map} AS m
SET
    new_key = k.wanted,
    last_run = CASE WHEN {is_own} THEN {run_id} ELSE m.last_run END,
    inserted_run = CASE WHEN {is_own} THEN {run_id} ELSE m.inserted_run END
FROM key_moves AS k
WHERE m.new_key = k.former AND k._row = ANY (%(rows)s)


-- name: moving
-- Rows of ours whose key is made of a value that is another one in legacy now. One that got another id than its own (a collision)
-- keeps it, and one that was in the target before us, or before legacy had it, has the key that it had.
CREATE TEMPORARY TABLE key_moves ON COMMIT DROP AS
SELECT s._row, m.legacy_key, m.new_key AS former, s.{key} AS wanted
FROM {stage} AS s
JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
JOIN {target} AS t ON t.{key} = m.new_key
WHERE m.state = 'live' AND m.written_hash IS NOT NULL AND NOT m.adopted
    AND m.rule IS DISTINCT FROM 'derived_collision' AND m.rule IS DISTINCT FROM 'carried back'
    AND m.new_key <> s.{key}


-- name: not_there
SELECT k._row
FROM key_moves AS k
WHERE k._row = ANY (%(rows)s) AND NOT EXISTS (SELECT FROM {target} AS t WHERE t.{key} = k.wanted)


-- name: ours
-- Rows whose new key a row of ours has that was made of no row of this legacy table.
SELECT k._row
FROM key_moves AS k
JOIN {map} AS h ON h.source_id = {source_id} AND h.new_key = k.wanted AND h.state = 'live' AND NOT h.adopted
WHERE k._row <> ALL (%(settled)s) AND h.legacy_table <> {legacy_table}
ORDER BY k._row


-- name: rename
UPDATE {target} AS t
SET {key} = k.wanted
FROM key_moves AS k
WHERE t.{key} = k.former AND k._row = ANY (%(rows)s)


-- name: shared_doubles
-- Doubles of which both are ours: one legacy key takes over the row of the other.
SELECT m.legacy_table, m.legacy_key::text, o.legacy_table, o.legacy_key::text
FROM {target} AS t
JOIN {map} AS m ON m.source_id = {source_id} AND m.state = 'live' AND NOT m.adopted AND {key_join}
JOIN key_moves AS k ON m.new_key::jsonb ? k.former::text
JOIN {map} AS o ON o.source_id = m.source_id AND o.state = 'live' AND NOT o.adopted AND o.new_key = {other_key}
WHERE {double}


-- name: taken
-- Rows that stay where they are, because another row has their new key.
INSERT INTO {decision_warnings} (source_id, table_name, rule, legacy_table, legacy_key, run_id)
SELECT {source_id}, {asset}, {rule}, {legacy_table}, k.legacy_key::text, {run_id}
FROM key_moves AS k
WHERE k._row <> ALL (%(settled)s)
ON CONFLICT DO NOTHING

-- name: forget
-- Nothing is written any more: a row that comes back is inserted again, under the same key.
UPDATE {map}
SET state = 'gone', written_hash = NULL, last_run = {run_id}
WHERE source_id = {source_id} AND legacy_table = %(table)s AND legacy_key = %(key)s


-- name: removable
-- Mapped rows of these legacy tables that are ours and still as we wrote them.
SELECT m.legacy_table, m.legacy_key::text, m.owner_key
FROM {map} AS m
JOIN {target} AS t ON {key_join}
WHERE m.source_id = {source_id} AND m.state = 'live' AND NOT m.adopted AND m.legacy_table = ANY (%s)
    AND NOT coalesce({edited}, false)
    {unreferenced}


-- name: remove
DELETE FROM {target} AS t
USING {map} AS m
WHERE m.source_id = {source_id} AND m.legacy_table = %(table)s AND m.legacy_key = %(key)s AND {key_join}


-- name: removed_image
WITH images AS (
    INSERT INTO {before_images} (source_id, run_id, table_name, new_key, operation, image, withheld, {kept})
    SELECT {source_id}, {run_id}, {table_name}, m.new_key::text, 'delete', i.image, {hidden}, {keeping}, m.legacy_table, m.legacy_key::text,
        m.written_hash, NULL::jsonb
    FROM {map} AS m
    JOIN {target} AS t ON {key_join}
    CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i
    WHERE m.source_id = {source_id} AND m.legacy_table = %(table)s AND m.legacy_key = %(key)s
    RETURNING id, withheld
)
SELECT id, cardinality(withheld) > 0 FROM images


-- name: warn_kept
INSERT INTO {decision_warnings} (source_id, table_name, rule, legacy_table, legacy_key, run_id)
VALUES ({source_id}, %(asset)s, %(rule)s, %(table)s, %(key)s, {run_id})
ON CONFLICT DO NOTHING

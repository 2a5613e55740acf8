-- name: images
-- What one target row was before each of our writes to it, the oldest first.
SELECT
    run_id, operation, image, ARRAY(SELECT jsonb_object_keys(coalesce(sealed, '{{}}'))) AS sealed,
    coalesce(withheld, '{{}}') AS withheld, undone_by
FROM {before_images}
WHERE source_id = %(source_id)s AND table_name = %(table)s AND new_key = %(key)s
ORDER BY id


-- name: merged
-- Legacy rows that were merged into rows of one target table and have no entry in its map.
SELECT l.table_name AS "table", l.legacy_table, l.legacy_key, l.outcome, l.rule, l.run_id
FROM {left_out} AS l
WHERE l.source_id = %(source_id)s AND l.table_name = %(table)s AND l.outcome = 'merged'
    AND NOT EXISTS (
        SELECT FROM {map} AS m
        WHERE m.source_id = l.source_id AND m.legacy_table = l.legacy_table AND m.legacy_key::text = l.legacy_key
    )
ORDER BY l.legacy_table, l.legacy_key


-- name: target
-- One target row without its secrets, and what we wrote to it last.
SELECT {row} AS "row", (
    SELECT m.last_written FROM {map} AS m
    WHERE m.source_id = %(source_id)s AND m.state = 'live' AND m.new_key = k.new_key::{kind}
    LIMIT 1
) AS last_written
FROM (SELECT %(key)s::text AS new_key) AS k
JOIN {target} AS t ON {joined}


-- name: unmapped
-- The same of a table that has no map.
SELECT {row} AS "row", NULL::jsonb AS last_written
FROM (SELECT %(key)s::text AS new_key) AS k
JOIN {target} AS t ON {joined}

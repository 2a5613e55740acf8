-- name: shown
-- What an inverse shows, with the legacy key as text.
CREATE TEMP TABLE {name} AS
SELECT DISTINCT ON (s._key) s.*
FROM (SELECT {shown}, {key} AS _key FROM ({rows}) AS v) AS s


-- name: newer
-- Legacy rows that were written since the fence, with the transaction that wrote each.
SELECT {key}, l.xmin::text::bigint FROM {table} AS l WHERE {newer}


-- name: deleted
-- Legacy keys of our rows that are not in the target any more. One that a run since the switch has noticed is one of them.
SELECT m.legacy_key::text
FROM {map} AS m
LEFT JOIN {target} AS t ON {key_join}
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND t.{any_key} IS NULL
    AND (
        m.state = 'live'
        OR m.state = 'deleted' AND EXISTS (SELECT FROM {runs} AS r WHERE r.id = m.last_run AND r.started_at >= %(switched_at)s)
    )


-- name: changes
-- Rows that the inverse shows otherwise than at the switch, and that legacy does not have so yet.
SELECT r.kind, r.key, r.columns, r.values, r.conflict
FROM (
    SELECT
        coalesce(a._key, l._key) AS key,
        CASE WHEN l._key IS NULL AND b._key IS NULL THEN 'insert' WHEN a._key IS NULL THEN 'delete' ELSE 'update' END AS kind,
        CASE WHEN a._key IS NOT NULL AND (l._key IS NOT NULL OR b._key IS NOT NULL)
            THEN array_remove(ARRAY[{differing}]::text[], NULL) ELSE '{{}}' END AS columns,
        CASE WHEN a._key IS NOT NULL THEN jsonb_build_object({values}) END AS values,
        coalesce(NOT n.ours, false) OR a._key IS NOT NULL AND l._key IS NULL AND b._key IS NOT NULL AS conflict,
        a._key IS NOT NULL OR b._key IS NOT NULL OR coalesce(l._key, '') = ANY (%(deleted)s) AS concerns
    FROM pg_temp.after_row AS a
    FULL JOIN (SELECT c.*, {copy_key} AS _key FROM {copy} AS c) AS l ON l._key = a._key
    LEFT JOIN pg_temp.before_row AS b ON b._key = coalesce(a._key, l._key)
    LEFT JOIN pg_temp.newer_row AS n ON n.key = coalesce(a._key, l._key)
) AS r
-- When a row was written is no change by itself: it was written again as it was, or a trigger of legacy has set the time again.
WHERE r.concerns AND (r.kind <> 'update' OR r.columns <> '{{}}' AND r.columns <> '{{updated_at}}')
ORDER BY r.key


-- name: differs
CASE WHEN a.{column} IS DISTINCT FROM l.{column} AND (b._key IS NULL OR a.{column} IS DISTINCT FROM b.{column}) THEN {name} END

-- name: lookup
SELECT m.legacy_key::text AS legacy_key, m.new_key::text AS new_key
{of_table}
    AND m.new_key IS NOT NULL
    AND (
        m.state IN ('live', 'merged')
        OR m.state = 'decided' AND ({own} OR EXISTS (
            SELECT FROM {map} AS l WHERE l.source_id = m.source_id AND l.new_key = m.new_key AND l.state = 'live'
        ))
    )


-- name: lookup_marks
-- The keys of a map that are adopted or deleted in the target, and those in quarantine.
SELECT m.legacy_key::text AS legacy_key, m.adopted, m.state = 'deleted' AS deleted, false AS quarantined
{of_table} AND (m.adopted OR m.state = 'deleted')
UNION ALL
SELECT q.legacy_key, false, false, true
FROM ({quarantined}) AS q


-- name: lookup_whole
-- Every entry of a map for one legacy table, with what else a lookup knows; of a large map only that it is large.
WITH size AS MATERIALIZED (SELECT pg_relation_size({relation}::regclass) > {size} AS is_large)
SELECT
    m.legacy_key::text AS legacy_key,
    CASE
        WHEN m.state IN ('live', 'merged') OR m.state = 'decided' AND ({own} OR EXISTS (
            SELECT FROM {map} AS l WHERE l.source_id = m.source_id AND l.new_key = m.new_key AND l.state = 'live'
        )) THEN m.new_key::text
    END AS new_key,
    m.decision::text AS decision,
    m.adopted,
    m.state = 'deleted' AS deleted,
    false AS quarantined,
    false AS large
{of_table} AND NOT (SELECT is_large FROM size)
UNION ALL
SELECT q.legacy_key, NULL, NULL, false, false, true, false
FROM ({quarantined}) AS q
WHERE NOT (SELECT is_large FROM size)
UNION ALL
SELECT NULL, NULL, NULL, false, false, false, true FROM size WHERE is_large

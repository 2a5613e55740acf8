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

-- name: index_exceptions
-- The legacy keys that somebody may ask for, those that need a person first: one row per key, target table and fate.
SELECT legacy_table, legacy_key, entity, new_key, fate, rule
FROM (
    SELECT 1 AS rank, legacy_table, legacy_key, table_name AS entity, NULL AS new_key, 'quarantined' AS fate, rule
    FROM {quarantine} WHERE source_id = %(source_id)s AND released_run IS NULL
    UNION ALL
    SELECT 2, legacy_table, legacy_key, table_name, new_key, 'conflict', reason
    FROM {conflicts} WHERE source_id = %(source_id)s AND resolved_run IS NULL
    UNION ALL
    SELECT 3, legacy_table, legacy_key, table_name, NULL, 'held', 'waits for ' || parent_table
    FROM {held} WHERE source_id = %(source_id)s AND released_run IS NULL
    UNION ALL
    SELECT 4, legacy_table, legacy_key, table_name, new_key, 'gone from legacy', outcome
    FROM {gone} WHERE source_id = %(source_id)s AND returned_run IS NULL
    UNION ALL
    SELECT 5, m.legacy_table, m.legacy_key, m.entity, m.new_key, CASE WHEN m.state = 'live' THEN 'adopted' ELSE m.state END, m.rule
    FROM {map_all} AS m
    WHERE m.source = %(source)s AND (m.state NOT IN ('live', 'decided') OR m.rule = 'adopted')
    UNION ALL
    SELECT 6, legacy_table, legacy_key, table_name, NULL, outcome, rule
    FROM {left_out} WHERE source_id = %(source_id)s
) AS every
ORDER BY rank, entity, legacy_table, legacy_key
LIMIT %(limit)s


-- name: index_migrated
-- The keys that became a row like any other.
SELECT m.legacy_table, m.legacy_key, m.entity, m.new_key, 'migrated' AS fate, m.rule
FROM {map_all} AS m
WHERE m.source = %(source)s AND m.state = 'live' AND m.rule <> 'adopted'
ORDER BY m.entity, m.legacy_table, m.legacy_key
LIMIT %(limit)s

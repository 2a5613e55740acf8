-- The keys that became a row like any other.
SELECT m.legacy_table, m.legacy_key, m.entity, m.new_key, 'migrated' AS fate, m.rule
FROM {map_all} AS m
WHERE m.source = %(source)s AND m.state = 'live' AND m.rule <> 'adopted'
ORDER BY m.entity, m.legacy_table, m.legacy_key
LIMIT %(limit)s

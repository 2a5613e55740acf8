-- The keys of a map that are adopted or deleted in the target, and those in quarantine.
SELECT m.legacy_key::text AS legacy_key, m.adopted, m.state = 'deleted' AS deleted, false AS quarantined
{of_table} AND (m.adopted OR m.state = 'deleted')
UNION ALL
SELECT q.legacy_key, false, false, true
FROM ({quarantined}) AS q

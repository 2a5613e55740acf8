-- The seeded checks that are there, in the seeded profile.
-- not compared: created_at: no legacy source, the default at insert stands
SELECT
    'seed' AS _legacy_table,
    c.legacy_key AS _legacy_key,
    p.new_key AS profile_id,
    c.new_key AS check_id
FROM map_checks AS c
JOIN map_check_profiles AS p ON p.legacy_table = 'seed' AND p.state = 'live'
WHERE c.legacy_table = 'seed' AND c.state = 'live'

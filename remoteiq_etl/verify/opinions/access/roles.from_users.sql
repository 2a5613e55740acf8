-- A role without grants for every word of users.role that no legacy role has. Words are compared here where they are plain
-- ASCII, which SQL can fold; the spelling, and every other word, is read from the map (see rules/access).
-- covers: users.role
-- reads: users(id, role), roles(id, name)
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
WITH words AS (
    SELECT DISTINCT lower(btrim(regexp_replace(role, '[\t-\r ]+', ' ', 'g'))) AS word
    FROM legacy_users
    WHERE role ~ '^[\x01-\x7f]*$'
    UNION
    SELECT legacy_key
    FROM map_roles
    WHERE legacy_table = 'users.role' AND legacy_key !~ '^[\x01-\x7f]*$' AND state = 'live'
)

SELECT
    'users.role' AS _legacy_table,
    w.word AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    'organization' AS scope,
    m.decision ->> 'name' AS name,
    NULL AS description
FROM words AS w
CROSS JOIN source AS s
LEFT JOIN map_roles AS m ON m.legacy_table = 'users.role' AND m.legacy_key::text = w.word AND m.state <> 'decided'
WHERE
    w.word <> ''
    AND NOT EXISTS (
        SELECT
        FROM legacy_roles AS r
        JOIN map_roles AS n ON n.legacy_table = 'roles' AND n.legacy_key::text = r.id::text
        WHERE lower(btrim(regexp_replace(r.name, '[\t-\r ]+', ' ', 'g'))) = w.word
    )

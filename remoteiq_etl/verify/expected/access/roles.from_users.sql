-- A role without grants for every word of users.role that no legacy role has; the map knows its spelling (see rules/access).
-- covers: users.role
-- reads: users(id, role), roles(id, name)
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
WITH words AS (
    SELECT pg_temp.normalised(role) AS word
    FROM (SELECT DISTINCT role FROM legacy_users) AS spelled
    EXCEPT
    SELECT pg_temp.normalised(name) FROM legacy_roles
),

-- Where the first role of a word went with a legacy role of another name now, the word stands for a second one.
keyed AS (
    SELECT w.word, coalesce(m.decision -> 'same_as' ->> 1, w.word) AS key
    FROM words AS w
    LEFT JOIN map_roles AS m
        ON m.legacy_table = 'users.role' AND m.legacy_key::text = w.word AND m.decision -> 'same_as' ->> 0 = 'users.role'
    WHERE w.word IS NOT NULL
)

SELECT
    'users.role' AS _legacy_table,
    k.key AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    'organization' AS scope,
    m.decision ->> 'name' AS name,
    NULL AS description
FROM keyed AS k
CROSS JOIN source AS s
LEFT JOIN map_roles AS m ON m.legacy_table = 'users.role' AND m.legacy_key::text = k.key AND m.state <> 'decided'

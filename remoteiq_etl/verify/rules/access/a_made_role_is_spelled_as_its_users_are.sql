-- The recorded name of a role that was made of users.role is one of the spellings that users have, or had when it was made.
-- reads: users(id, role)
WITH spelled AS (
    SELECT pg_temp.tidy(role) AS name
    FROM (SELECT DISTINCT role FROM legacy_users) AS given
)

SELECT
    'roles' AS table_name,
    m.legacy_key::text AS key,
    CASE
        WHEN pg_temp.normalised(m.decision ->> 'name') = m.legacy_key::text THEN 'no user has this spelling: role'
        ELSE 'another name than its key: role'
    END AS finding
FROM map_roles AS m
WHERE
    m.legacy_table = 'users.role'
    AND m.state = 'live'
    AND (
        pg_temp.normalised(m.decision ->> 'name') IS DISTINCT FROM m.legacy_key::text
        OR (
            m.decision ->> 'name' NOT IN (SELECT name FROM spelled WHERE name IS NOT NULL)
            -- A decision sticks when the users change their spelling.
            AND NOT EXISTS (SELECT FROM spelled AS s WHERE pg_temp.normalised(s.name) = m.legacy_key::text)
            AND m.legacy_key::text IN (SELECT pg_temp.normalised(role) FROM legacy_users)
        )
    )

-- The recorded name of a role that was made of users.role is a tidy spelling of its word.
SELECT 'roles' AS table_name, m.legacy_key::text AS key, 'the recorded name is no spelling of the word: role' AS finding
FROM map_roles AS m
WHERE
    m.legacy_table = 'users.role'
    AND m.state = 'live'
    AND (
        pg_temp.normalised(m.decision ->> 'name') IS DISTINCT FROM btrim(m.legacy_key::text)
        OR pg_temp.tidy(m.decision ->> 'name') IS DISTINCT FROM m.decision ->> 'name'
    )

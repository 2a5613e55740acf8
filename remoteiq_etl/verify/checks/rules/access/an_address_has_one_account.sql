-- Of legacy accounts with one e-mail address at most one is migrated.
-- reads: users(id, email)
WITH addressed AS (
    SELECT m.legacy_key::text AS key, pg_temp.lowered(u.email) AS email
    FROM map_users AS m
    JOIN legacy_users AS u ON u.id::text = m.legacy_key::text
    WHERE m.legacy_table = 'users' AND m.state = 'live'
)

SELECT 'users' AS table_name, a.key, 'another migrated account has the same address: email' AS finding
FROM addressed AS a
JOIN addressed AS b ON b.email = a.email AND b.key < a.key

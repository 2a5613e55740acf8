-- A seed is offered, not handed out: no link, no assignment of ours leads to a system role or a check template.
WITH roles_of_users AS (
    SELECT legacy_key::text AS key, new_key::jsonb ->> 1 AS role_id
    FROM map_user_roles
    WHERE state = 'live'
)

SELECT 'user_roles' AS table_name, l.key, 'leads to a seeded role: role_id' AS finding
FROM roles_of_users AS l
JOIN map_roles AS r ON r.legacy_table = 'seed' AND r.state = 'live' AND r.new_key::text = l.role_id
UNION ALL
SELECT 'check_assignments', m.legacy_key::text, 'leads to a check template: check_id'
FROM map_check_assignments AS m
JOIN check_assignments AS a ON a.id::text = m.new_key::text
JOIN map_checks AS c ON c.legacy_table = 'seed' AND c.state = 'live' AND c.new_key::text = a.check_id::text
WHERE m.state = 'live'

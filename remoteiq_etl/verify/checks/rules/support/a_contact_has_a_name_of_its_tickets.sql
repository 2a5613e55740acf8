-- The name of a contact is one that its tickets use, and the part of its address before the @ only where they use none.
-- reads: tickets(requester_name, requester_email)
WITH addresses AS MATERIALIZED (
    SELECT t.requester_email AS text, pg_temp.mail_address(t.requester_email) AS address
    FROM (SELECT DISTINCT requester_email FROM legacy_tickets) AS t
),

names AS MATERIALIZED (
    SELECT t.requester_name AS text, pg_temp.tidy(t.requester_name) AS name, pg_temp.normalised(t.requester_name) AS form
    FROM (SELECT DISTINCT requester_name FROM legacy_tickets) AS t
),

uses AS (
    SELECT
        '["' || CASE WHEN a.address IS NULL THEN 'name' ELSE 'email' END || '",'
        || to_json(coalesce(a.address, n.form))::text || ']' AS key,
        split_part(a.address, '@', 1) AS local_part,
        array_agg(DISTINCT n.name) FILTER (WHERE n.name IS NOT NULL) AS names
    FROM legacy_tickets AS l
    LEFT JOIN addresses AS a ON a.text = l.requester_email
    LEFT JOIN names AS n ON n.text = l.requester_name
    WHERE coalesce(a.address, n.form) IS NOT NULL
    GROUP BY 1, 2
)

SELECT 'contacts' AS table_name, m.new_key::text AS key, 'no ticket of it uses its name: name' AS finding
FROM uses AS u
JOIN map_contacts AS m ON m.legacy_table = 'derived' AND m.legacy_key::text = u.key AND m.state = 'live'
WHERE NOT coalesce(m.decision ->> 'name' = ANY (coalesce(u.names, ARRAY[u.local_part])), false)

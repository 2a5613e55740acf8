-- The legacy number that a mail may name leads to a ticket that had it, and to the row which that ticket became.
-- reads: tickets(id, number)
SELECT 'tickets' AS table_name, n.legacy_key::text AS key, 'the number leads to another ticket: ticket_id of messages' AS finding
FROM map_tickets AS n
LEFT JOIN map_tickets AS t ON t.legacy_table = 'tickets' AND t.legacy_key::text = n.decision #>> '{same_as,1}'
LEFT JOIN legacy_tickets AS l ON l.id::text = n.decision #>> '{same_as,1}'
WHERE
    n.legacy_table = 'number'
    AND (
        t.legacy_key IS NULL
        OR (t.decision ->> 'legacy_number' <> n.legacy_key::text AND l.number::text IS DISTINCT FROM n.legacy_key::text)
        OR (t.state = 'live' AND t.new_key IS DISTINCT FROM n.new_key)
    )

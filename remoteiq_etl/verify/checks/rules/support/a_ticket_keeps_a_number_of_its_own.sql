-- A ticket keeps its legacy number unless another ticket or the target had it first, and no two tickets get one number.
WITH numbered AS (
    SELECT
        coalesce(m.new_key::text, m.legacy_key::text) AS key,
        m.rule,
        (m.decision ->> 'legacy_number')::bigint AS legacy_number,
        (m.decision ->> 'ticket_number')::bigint AS ticket_number,
        count(*) OVER (PARTITION BY m.decision ->> 'legacy_number') AS sharing,
        count(*) OVER (PARTITION BY m.decision ->> 'ticket_number') AS owners
    FROM map_tickets AS m
    WHERE m.legacy_table = 'tickets' AND m.decision IS NOT NULL
)

SELECT 'tickets' AS table_name, n.key, 'kept by its rule, but another number was given: ticket_number' AS finding
FROM numbered AS n
WHERE n.rule = 'number_kept' AND n.ticket_number IS DISTINCT FROM n.legacy_number
UNION ALL
SELECT 'tickets', n.key, 'no other ticket had its legacy number, but another was given for a duplicate: ticket_number'
FROM numbered AS n
WHERE n.rule = 'number_duplicate' AND n.sharing = 1
UNION ALL
SELECT 'tickets', n.key, 'another ticket was given the same: ticket_number'
FROM numbered AS n
WHERE n.owners > 1

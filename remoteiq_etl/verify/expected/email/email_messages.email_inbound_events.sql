-- covers: email_inbound_events
-- rows: email_inbound_events
-- not compared: bcc_addresses: no legacy source, mail that comes in does not name them
-- carried from email_inbound_events: subject, from_addr as from_address
WITH texts AS MATERIALIZED (
    SELECT t.purpose AS text, regexp_replace(pg_temp.normalised(t.purpose), '^password resets$', 'password_resets') AS form
    FROM (SELECT DISTINCT purpose FROM legacy_email_inbound_events) AS t
),

known AS (
    SELECT
        l.*,
        p.form AS purpose_form,
        h.*,
        substring(l.subject COLLATE "C" FROM '(?i)\[TICKET:#([0-9]{1,19})\]')::numeric::text AS ticket_number,
        l.created_at AS received_at
    FROM legacy_email_inbound_events AS l
    LEFT JOIN texts AS p ON p.text = l.purpose
    CROSS JOIN LATERAL pg_temp.mail_headers(encode(substring(l.raw FROM 1 FOR 60000), 'escape')) AS h
)

SELECT
    'email_inbound_events' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    c.new_key AS channel_id,
    n.new_key AS ticket_id,
    'inbound' AS direction,
    CASE WHEN l.message_id_known THEN l.message_id ELSE t.message_id END AS message_id,
    l.subject,
    l.from_addr AS from_address,
    CASE WHEN l.to_known THEN l.to_addresses ELSE t.to_addresses END AS to_addresses,
    CASE WHEN l.cc_known THEN l.cc_addresses ELSE t.cc_addresses END AS cc_addresses,
    CASE WHEN l.sent_at_known THEN l.sent_at ELSE t.sent_at END AS sent_at,
    l.received_at,
    jsonb_strip_nulls(
        jsonb_build_object('kind', l.kind, 'raw', translate(encode(l.raw, 'base64'), E'\n', ''))
    ) AS payload,
    l.received_at AS created_at
FROM known AS l
LEFT JOIN map_email_messages AS m ON m.legacy_table = 'email_inbound_events' AND m.legacy_key = l.id::text
LEFT JOIN map_email_channels AS c ON c.legacy_table = 'purpose' AND c.legacy_key = l.purpose_form
LEFT JOIN map_tickets AS n ON n.legacy_table = 'number' AND n.legacy_key = l.ticket_number
LEFT JOIN target_email_messages AS t ON t.id = m.new_key

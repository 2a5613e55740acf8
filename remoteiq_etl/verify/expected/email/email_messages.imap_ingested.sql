-- covers: imap_ingested
-- rows: imap_ingested
-- not compared: bcc_addresses: no legacy source, mail that comes in does not name them
-- carried from imap_ingested: subject, from_addr as from_address
WITH texts AS MATERIALIZED (
    SELECT t.purpose AS text, regexp_replace(pg_temp.normalised(t.purpose), '^password resets$', 'password_resets') AS form
    FROM (SELECT DISTINCT purpose FROM legacy_imap_ingested) AS t
),

known AS (
    SELECT
        l.*,
        p.form AS purpose_form,
        h.*,
        substring(l.subject COLLATE "C" FROM '(?i)\[TICKET:#([0-9]{1,19})\]')::numeric::text AS ticket_number,
        l.created_at AS received_at
    FROM legacy_imap_ingested AS l
    LEFT JOIN texts AS p ON p.text = l.purpose
    CROSS JOIN LATERAL pg_temp.mail_headers(l.headers_snippet) AS h
)

SELECT
    'imap_ingested' AS _legacy_table,
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
        jsonb_build_object(
            'uid', l.uid,
            'sizeBytes', l.size_bytes,
            'headersSnippet', l.headers_snippet,
            'isBounce', l.is_bounce,
            'bounce',
            CASE
                WHEN coalesce(l.bounce_recipient, l.bounce_status, l.bounce_action, l.bounce_diagnostic) IS NOT NULL
                    THEN jsonb_build_object(
                        'recipient', l.bounce_recipient,
                        'status', l.bounce_status,
                        'action', l.bounce_action,
                        'diagnostic', l.bounce_diagnostic
                    )
            END
        )
    ) AS payload,
    l.received_at AS created_at
FROM known AS l
LEFT JOIN map_email_messages AS m ON m.legacy_table = 'imap_ingested' AND m.legacy_key = l.id::text
LEFT JOIN map_email_channels AS c ON c.legacy_table = 'purpose' AND c.legacy_key = l.purpose_form
LEFT JOIN map_tickets AS n ON n.legacy_table = 'number' AND n.legacy_key = l.ticket_number
LEFT JOIN target_email_messages AS t ON t.id = m.new_key

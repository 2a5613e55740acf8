-- A channel, switched off, for every purpose in a text that names none; its spelling is read from the map (see rules/email).
-- covers: derived
-- reads: email_settings(purpose), imap_state(purpose), imap_ingested(purpose), email_inbound_events(purpose)
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
WITH spelled AS (
    SELECT purpose FROM legacy_imap_state
    UNION
    SELECT purpose FROM legacy_imap_ingested
    UNION
    SELECT purpose FROM legacy_email_inbound_events
),

purposes AS (
    SELECT CASE word WHEN 'password resets' THEN 'password_resets' ELSE word END AS word
    FROM (SELECT pg_temp.normalised(purpose) FROM spelled) AS compared (word)
    EXCEPT
    SELECT purpose FROM legacy_email_settings
)

SELECT
    'derived' AS _legacy_table,
    p.word AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    m.decision ->> 'name' AS name,
    CASE p.word WHEN 'alerts' THEN 'alerts' ELSE coalesce(w.label, 'system') END AS purpose,
    false AS is_inbound_enabled,
    false AS is_outbound_enabled,
    '{}'::jsonb AS smtp_settings,
    '{}'::jsonb AS imap_settings
FROM purposes AS p
CROSS JOIN source AS s
LEFT JOIN added_word AS w ON w.value_map = 'email_channels.purpose' AND pg_temp.normalised(w.word) = p.word
LEFT JOIN map_email_channels AS m ON m.legacy_table = 'derived' AND m.legacy_key::text = p.word
WHERE p.word IS NOT NULL

-- covers: email_settings
-- reads: email_settings
-- each row: email_settings
-- not compared: created_at: no legacy source, the default at insert stands
SELECT
    'email_settings' AS _legacy_table,
    l.purpose AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    CASE l.purpose
        WHEN 'alerts' THEN 'Alerts'
        WHEN 'invites' THEN 'Invites'
        WHEN 'password_resets' THEN 'Password resets'
        WHEN 'reports' THEN 'Reports'
        ELSE l.purpose
    END AS name,
    CASE l.purpose WHEN 'alerts' THEN 'alerts' ELSE coalesce(w.label, 'system') END AS purpose,
    l.enabled AND pg_temp.tidy(l.imap_host) IS NOT NULL AS is_inbound_enabled,
    l.enabled AND pg_temp.tidy(l.smtp_host) IS NOT NULL AS is_outbound_enabled,
    jsonb_strip_nulls(jsonb_build_object(
        'host', l.smtp_host, 'port', l.smtp_port, 'username', l.smtp_username, 'password', l.smtp_password,
        'useTls', l.smtp_use_tls, 'useSsl', l.smtp_use_ssl, 'fromAddress', l.smtp_from_address,
        'legacyEnabled', l.enabled
    )) AS smtp_settings,
    jsonb_strip_nulls(jsonb_build_object(
        'host', l.imap_host, 'port', l.imap_port, 'username', l.imap_username, 'password', l.imap_password,
        'useSsl', l.imap_use_ssl,
        'pop', jsonb_build_object(
            'host', l.pop_host, 'port', l.pop_port, 'username', l.pop_username, 'password', l.pop_password,
            'useSsl', l.pop_use_ssl
        )
    )) AS imap_settings,
    l.updated_at
FROM legacy_email_settings AS l
CROSS JOIN source AS s
LEFT JOIN added_word AS w ON w.value_map = 'email_channels.purpose' AND pg_temp.normalised(w.word) = l.purpose
LEFT JOIN map_email_channels AS m ON m.legacy_table = 'email_settings' AND m.legacy_key::text = l.purpose

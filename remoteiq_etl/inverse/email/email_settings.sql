-- The settings of the four purposes, which are channels of their own.
-- keys: email_channels
-- exact: purpose, enabled, smtp_host, smtp_port, smtp_username, smtp_password, smtp_use_tls, smtp_use_ssl, smtp_from_address
-- exact: imap_host, imap_port, imap_username, imap_password, imap_use_ssl, pop_host, pop_port, pop_username, pop_password
-- exact: pop_use_ssl, updated_at
SELECT
    r.legacy_key AS purpose,
    CASE
        WHEN (r.written ->> 'is_outbound_enabled')::boolean = t.is_outbound_enabled
            AND (r.written ->> 'is_inbound_enabled')::boolean = t.is_inbound_enabled
            THEN coalesce((t.smtp_settings ->> 'legacyEnabled')::boolean, t.is_outbound_enabled OR t.is_inbound_enabled)
        ELSE t.is_outbound_enabled OR t.is_inbound_enabled
    END AS enabled,
    coalesce(t.smtp_settings ->> 'host', '') AS smtp_host,
    (t.smtp_settings ->> 'port')::integer AS smtp_port,
    coalesce(t.smtp_settings ->> 'username', '') AS smtp_username,
    t.smtp_settings ->> 'password' AS smtp_password,
    coalesce((t.smtp_settings ->> 'useTls')::boolean, true) AS smtp_use_tls,
    coalesce((t.smtp_settings ->> 'useSsl')::boolean, false) AS smtp_use_ssl,
    coalesce(t.smtp_settings ->> 'fromAddress', '') AS smtp_from_address,
    coalesce(t.imap_settings ->> 'host', '') AS imap_host,
    (t.imap_settings ->> 'port')::integer AS imap_port,
    coalesce(t.imap_settings ->> 'username', '') AS imap_username,
    t.imap_settings ->> 'password' AS imap_password,
    coalesce((t.imap_settings ->> 'useSsl')::boolean, true) AS imap_use_ssl,
    coalesce(t.imap_settings #>> '{{pop,host}}', '') AS pop_host,
    (t.imap_settings #>> '{{pop,port}}')::integer AS pop_port,
    coalesce(t.imap_settings #>> '{{pop,username}}', '') AS pop_username,
    t.imap_settings #>> '{{pop,password}}' AS pop_password,
    coalesce((t.imap_settings #>> '{{pop,useSsl}}')::boolean, true) AS pop_use_ssl,
    t.updated_at
FROM {rows} AS r
JOIN {target}.email_channels AS t ON t.id = r.new_key

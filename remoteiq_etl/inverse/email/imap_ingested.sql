-- Mail that came in. Its purpose is that of its channel.
-- keys: email_messages
-- new: n.direction = 'inbound' AND n.payload ? 'uid' AND EXISTS (SELECT FROM {target}.email_channels AS o WHERE o.id = n.channel_id AND o.organization_id = {organization})
-- lost: purpose: one that is spelled otherwise reads as the channel's
-- exact: id, uid, from_addr, subject, size_bytes, headers_snippet, is_bounce, bounce_recipient, bounce_status, bounce_action
-- exact: bounce_diagnostic, created_at
SELECT
    r.legacy_key AS id,
    coalesce(m.legacy_key, c.name) AS purpose,
    (t.payload ->> 'uid')::bigint AS uid,
    t.from_address AS from_addr,
    t.subject,
    (t.payload ->> 'sizeBytes')::integer AS size_bytes,
    t.payload ->> 'headersSnippet' AS headers_snippet,
    coalesce((t.payload ->> 'isBounce')::boolean, false) AS is_bounce,
    t.payload #>> '{{bounce,recipient}}' AS bounce_recipient,
    t.payload #>> '{{bounce,status}}' AS bounce_status,
    t.payload #>> '{{bounce,action}}' AS bounce_action,
    t.payload #>> '{{bounce,diagnostic}}' AS bounce_diagnostic,
    t.created_at
FROM {rows} AS r
JOIN {target}.email_messages AS t ON t.id = r.new_key
JOIN {target}.email_channels AS c ON c.id = t.channel_id
LEFT JOIN {state}.legacy_email_channels_map AS m
    ON m.source_id = {source} AND m.legacy_table = 'email_settings' AND m.state = 'live' AND m.new_key = t.channel_id

-- One row per channel that has something to say, after support_legal_settings has filled the gaps of support_legal.
-- reads: support_legal, support_legal_settings
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
WITH legal AS (
    SELECT *
    FROM legacy_support_legal
    ORDER BY id <> 1, id
    LIMIT 1
),

gaps AS (
    SELECT *
    FROM legacy_support_legal_settings
    ORDER BY id <> 1, id
    LIMIT 1
),

pattern (visible) AS (
    VALUES ('[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]')
),

channels AS (
    SELECT c.channel, c.key, CASE WHEN c.first ~ p.visible THEN c.first ELSE c.second END AS said, c.more
    FROM pattern AS p
    CROSS JOIN (VALUES (1)) AS one (row)
    LEFT JOIN legal AS l ON true
    LEFT JOIN gaps AS g ON true
    CROSS JOIN LATERAL (VALUES
        ('email', 'address', l.support_email, g.support_email, '{}'),
        ('phone', 'number', l.support_phone, g.support_phone, jsonb_build_object('hours', l.phone_hours)),
        ('knowledge_base', 'url', l.knowledge_base_url, g.kb_url, '{}'),
        ('status_page', 'url', l.status_page_url, g.status_page_url, '{}'),
        ('ticket_portal', 'url', l.ticket_portal_url, NULL, '{}'),
        ('chat_widget', 'code', CASE WHEN g.show_chat_widget THEN g.chat_widget_code END, NULL, '{}')
    ) AS c (channel, key, first, second, more)
)

SELECT
    'derived' AS _legacy_table,
    c.channel AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    c.channel AS channel_key,
    c.channel AS channel_type,
    jsonb_strip_nulls(jsonb_build_object(c.key, c.said) || c.more) AS configuration
FROM channels AS c
CROSS JOIN source AS s
CROSS JOIN pattern AS p
LEFT JOIN map_support_channels AS m ON m.legacy_table = 'derived' AND m.legacy_key = c.channel
WHERE c.said ~ p.visible

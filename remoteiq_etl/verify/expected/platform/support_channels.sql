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

channels AS (
    SELECT c.channel, c.key, CASE WHEN pg_temp.normalised(c.first) IS NULL THEN c.second ELSE c.first END AS said, c.more
    FROM source
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
LEFT JOIN map_support_channels AS m ON m.legacy_table = 'derived' AND m.legacy_key = c.channel
WHERE pg_temp.normalised(c.said) IS NOT NULL

-- A seed stands while its legacy table has no row, if the row of the settings was made by us: the map knows which were chosen.
-- reads: branding_settings, localization_settings, support_legal, support_legal_settings, company_profile
-- reads: backups_config(id, notifications)
WITH branding AS (
    SELECT *
    FROM legacy_branding_settings
    ORDER BY id DESC
    LIMIT 1
),

localization AS (
    SELECT *
    FROM legacy_localization_settings
    ORDER BY id <> 1, id
    LIMIT 1
),

company AS (
    SELECT *
    FROM legacy_company_profile
    ORDER BY id <> 1, id
    LIMIT 1
),

legal AS (
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

backups AS (
    SELECT notifications
    FROM legacy_backups_config
    ORDER BY id <> 'singleton', id COLLATE "C"
    LIMIT 1
),

-- Of two values for one key the first that is not blank, else the first that is not null.
both_tables AS (
    SELECT v.key, v.first, v.second
    FROM source
    LEFT JOIN legal AS l ON true
    LEFT JOIN gaps AS g ON true
    CROSS JOIN LATERAL (VALUES
        ('supportEmail', l.support_email, g.support_email),
        ('supportPhone', l.support_phone, g.support_phone),
        ('knowledgeBaseUrl', l.knowledge_base_url, g.kb_url),
        ('statusPageUrl', l.status_page_url, g.status_page_url),
        ('privacyPolicyUrl', l.privacy_policy_url, g.privacy_url),
        ('termsUrl', l.terms_url, g.terms_url),
        ('gdprContactEmail', l.gdpr_contact_email, g.gdpr_contact),
        ('legalAddress', l.legal_address, NULL),
        ('ticketPortalUrl', l.ticket_portal_url, NULL),
        ('phoneHours', l.phone_hours, NULL),
        ('notesHtml', l.notes_html, NULL),
        ('supportUrl', g.support_url, NULL),
        ('dmcaContact', g.dmca_contact, NULL),
        ('chatWidgetCode', g.chat_widget_code, NULL)
    ) AS v (key, first, second)
),

support AS (
    SELECT coalesce(jsonb_object_agg(key, chosen) FILTER (WHERE chosen IS NOT NULL), '{}') AS texts
    FROM both_tables
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN pg_temp.normalised(first) IS NULL AND pg_temp.normalised(second) IS NOT NULL THEN second
            ELSE coalesce(first, second)
        END
    ) AS one (chosen)
),

seeds AS (
    SELECT v.section, jsonb_object_agg(v.key, v.value) AS keys
    FROM (VALUES
        ('branding', 'allowClientThemeToggle', 'false'::jsonb),
        ('localization', 'language', '"en-US"'),
        ('localization', 'dateFormat', '"MM/DD/YYYY"'),
        ('localization', 'timeFormat', '"h:mm a"'),
        ('localization', 'numberFormat', '"1,234.56"'),
        ('localization', 'timeZone', '"UTC"'),
        ('localization', 'firstDayOfWeek', '"sunday"'),
        ('support', 'showChatWidget', 'false')
    ) AS v (section, key, value)
    JOIN map_organization_settings AS m ON m.legacy_table = 'seed' AND m.legacy_key = v.section || '.' || v.key
    GROUP BY v.section
),

times AS (
    SELECT min(at) AS earliest, max(at) AS latest
    FROM (
        SELECT created_at FROM branding
        UNION ALL
        SELECT updated_at FROM branding
        UNION ALL
        SELECT updated_at FROM gaps
    ) AS known (at)
)

SELECT
    'derived' AS _legacy_table,
    s.slug AS _legacy_key,
    m.new_key AS organization_id,
    coalesce(
        (
            SELECT
                jsonb_strip_nulls(jsonb_build_object(
                    'primaryColor', primary_color, 'secondaryColor', secondary_color, 'logoLightUrl', logo_light_url,
                    'logoDarkUrl', logo_dark_url, 'loginBackgroundUrl', login_background_url,
                    'faviconUrl', favicon_url, 'emailHeader', email_header, 'emailFooter', email_footer,
                    'customCss', custom_css, 'allowClientThemeToggle', allow_client_theme_toggle
                ))
            FROM branding
        ),
        (SELECT keys FROM seeds WHERE section = 'branding'),
        '{}'
    ) AS branding,
    coalesce(
        (
            SELECT
                jsonb_strip_nulls(jsonb_build_object(
                    'language', language, 'dateFormat', date_format, 'timeFormat', time_format,
                    'numberFormat', number_format, 'timeZone', time_zone, 'firstDayOfWeek', first_day_of_week,
                    'currency', currency
                ))
            FROM localization
        ),
        (SELECT keys FROM seeds WHERE section = 'localization'),
        '{}'
    ) AS localization,
    u.texts
    || coalesce(
        (SELECT jsonb_strip_nulls(jsonb_build_object('showChatWidget', show_chat_widget)) FROM gaps),
        (SELECT keys FROM seeds WHERE section = 'support'),
        '{}'
    )
    || coalesce(
        (
            SELECT
                jsonb_build_object('company', jsonb_strip_nulls(jsonb_build_object(
                    'name', name, 'legalName', legal_name, 'email', email, 'phone', phone, 'fax', fax,
                    'website', website, 'vatTin', vat_tin, 'address1', address1, 'address2', address2, 'city', city,
                    'state', state, 'postal', postal, 'country', country
                )))
            FROM company
        ),
        '{}'
    ) AS support,
    coalesce(
        (
            SELECT
                jsonb_build_object('backups', CASE jsonb_typeof(notifications)
                    WHEN 'object' THEN notifications
                    WHEN 'null' THEN '{}'
                    ELSE jsonb_build_object('value', notifications)
                END)
            FROM backups
        ),
        '{}'
    ) AS notifications,
    coalesce((SELECT created_at FROM branding), t.earliest) AS created_at,
    t.latest AS updated_at
FROM source AS s
CROSS JOIN support AS u
CROSS JOIN times AS t
LEFT JOIN map_organization_settings AS m ON m.legacy_table = 'derived' AND m.legacy_key = s.slug

-- The row in force, from the settings of the organization; further rows from the archive.
-- whole: second_singleton_row
-- exact: id, primary_color, secondary_color, logo_light_url, logo_dark_url, login_background_url, email_header, email_footer
-- exact: custom_css, allow_client_theme_toggle, favicon_url
-- lost: created_at: a missing one reads as the earliest of all settings
-- lost: updated_at: the latest of all settings
SELECT
    r.legacy_key::integer AS id,
    t.branding ->> 'primaryColor' AS primary_color,
    t.branding ->> 'secondaryColor' AS secondary_color,
    t.branding ->> 'logoLightUrl' AS logo_light_url,
    t.branding ->> 'logoDarkUrl' AS logo_dark_url,
    t.branding ->> 'loginBackgroundUrl' AS login_background_url,
    t.branding ->> 'emailHeader' AS email_header,
    t.branding ->> 'emailFooter' AS email_footer,
    t.branding ->> 'customCss' AS custom_css,
    (t.branding ->> 'allowClientThemeToggle')::boolean AS allow_client_theme_toggle,
    t.created_at,
    t.updated_at,
    t.branding ->> 'faviconUrl' AS favicon_url
FROM (
    SELECT DISTINCT m.legacy_key
    FROM {state}.legacy_settings_map AS m
    WHERE m.source_id = {source} AND m.legacy_table = 'branding_settings'
) AS r
JOIN {target}.organization_settings AS t ON t.organization_id = {organization}
UNION ALL
SELECT w.archive_key::integer, w.primary_color, w.secondary_color, w.logo_light_url, w.logo_dark_url, w.login_background_url, w.email_header, w.email_footer, w.custom_css, w.allow_client_theme_toggle, w.created_at, w.updated_at, w.favicon_url
FROM {whole} AS w

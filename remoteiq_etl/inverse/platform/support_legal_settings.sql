-- The row in force, from the settings of the organization; further rows from the archive.
-- whole: second_singleton_row
-- exact: id, support_url, dmca_contact, show_chat_widget, chat_widget_code
-- archive: support_email, support_phone, status_page_url, kb_url, terms_url, privacy_url, gdpr_contact
-- lost: updated_at: the latest of all settings
SELECT
    r.legacy_key::integer AS id,
    CASE r.outcomes ->> 'support_email' WHEN 'carried' THEN t.support ->> 'supportEmail' WHEN 'superseded' THEN a.support_email END AS support_email,
    CASE r.outcomes ->> 'support_phone' WHEN 'carried' THEN t.support ->> 'supportPhone' WHEN 'superseded' THEN a.support_phone END AS support_phone,
    CASE r.outcomes ->> 'support_url' WHEN 'carried' THEN t.support ->> 'supportUrl' WHEN 'superseded' THEN a.support_url END AS support_url,
    CASE r.outcomes ->> 'status_page_url' WHEN 'carried' THEN t.support ->> 'statusPageUrl' WHEN 'superseded' THEN a.status_page_url END AS status_page_url,
    CASE r.outcomes ->> 'kb_url' WHEN 'carried' THEN t.support ->> 'knowledgeBaseUrl' WHEN 'superseded' THEN a.kb_url END AS kb_url,
    CASE r.outcomes ->> 'terms_url' WHEN 'carried' THEN t.support ->> 'termsUrl' WHEN 'superseded' THEN a.terms_url END AS terms_url,
    CASE r.outcomes ->> 'privacy_url' WHEN 'carried' THEN t.support ->> 'privacyPolicyUrl' WHEN 'superseded' THEN a.privacy_url END AS privacy_url,
    CASE r.outcomes ->> 'gdpr_contact' WHEN 'carried' THEN t.support ->> 'gdprContactEmail' WHEN 'superseded' THEN a.gdpr_contact END AS gdpr_contact,
    CASE r.outcomes ->> 'dmca_contact' WHEN 'carried' THEN t.support ->> 'dmcaContact' WHEN 'superseded' THEN a.dmca_contact END AS dmca_contact,
    CASE r.outcomes ->> 'show_chat_widget' WHEN 'carried' THEN (t.support ->> 'showChatWidget')::boolean WHEN 'superseded' THEN a.show_chat_widget END AS show_chat_widget,
    CASE r.outcomes ->> 'chat_widget_code' WHEN 'carried' THEN t.support ->> 'chatWidgetCode' WHEN 'superseded' THEN a.chat_widget_code END AS chat_widget_code,
    t.updated_at
FROM (
    SELECT m.legacy_key, m.legacy_key AS archive_key, jsonb_object_agg(m.legacy_column, m.outcome) AS outcomes
    FROM {state}.legacy_settings_map AS m
    WHERE m.source_id = {source} AND m.legacy_table = 'support_legal_settings'
    GROUP BY m.legacy_key
) AS r
JOIN {target}.organization_settings AS t ON t.organization_id = {organization}
{archived}
UNION ALL
SELECT w.archive_key::integer, w.support_email, w.support_phone, w.support_url, w.status_page_url, w.kb_url, w.terms_url, w.privacy_url, w.gdpr_contact, w.dmca_contact, w.show_chat_widget, w.chat_widget_code, w.updated_at
FROM {whole} AS w

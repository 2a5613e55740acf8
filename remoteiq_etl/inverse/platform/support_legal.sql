-- The row in force, from the settings of the organization; further rows from the archive.
-- whole: second_singleton_row
-- exact: id, legal_address, ticket_portal_url, phone_hours, notes_html
-- archive: support_email, support_phone, knowledge_base_url, status_page_url, privacy_policy_url, terms_url, gdpr_contact_email
SELECT
    r.legacy_key::integer AS id,
    CASE r.outcomes ->> 'support_email' WHEN 'carried' THEN t.support ->> 'supportEmail' WHEN 'superseded' THEN a.support_email END AS support_email,
    CASE r.outcomes ->> 'support_phone' WHEN 'carried' THEN t.support ->> 'supportPhone' WHEN 'superseded' THEN a.support_phone END AS support_phone,
    CASE r.outcomes ->> 'knowledge_base_url' WHEN 'carried' THEN t.support ->> 'knowledgeBaseUrl' WHEN 'superseded' THEN a.knowledge_base_url END AS knowledge_base_url,
    CASE r.outcomes ->> 'status_page_url' WHEN 'carried' THEN t.support ->> 'statusPageUrl' WHEN 'superseded' THEN a.status_page_url END AS status_page_url,
    CASE r.outcomes ->> 'privacy_policy_url' WHEN 'carried' THEN t.support ->> 'privacyPolicyUrl' WHEN 'superseded' THEN a.privacy_policy_url END AS privacy_policy_url,
    CASE r.outcomes ->> 'terms_url' WHEN 'carried' THEN t.support ->> 'termsUrl' WHEN 'superseded' THEN a.terms_url END AS terms_url,
    CASE r.outcomes ->> 'gdpr_contact_email' WHEN 'carried' THEN t.support ->> 'gdprContactEmail' WHEN 'superseded' THEN a.gdpr_contact_email END AS gdpr_contact_email,
    CASE r.outcomes ->> 'legal_address' WHEN 'carried' THEN t.support ->> 'legalAddress' WHEN 'superseded' THEN a.legal_address END AS legal_address,
    CASE r.outcomes ->> 'ticket_portal_url' WHEN 'carried' THEN t.support ->> 'ticketPortalUrl' WHEN 'superseded' THEN a.ticket_portal_url END AS ticket_portal_url,
    CASE r.outcomes ->> 'phone_hours' WHEN 'carried' THEN t.support ->> 'phoneHours' WHEN 'superseded' THEN a.phone_hours END AS phone_hours,
    CASE r.outcomes ->> 'notes_html' WHEN 'carried' THEN t.support ->> 'notesHtml' WHEN 'superseded' THEN a.notes_html END AS notes_html
FROM (
    SELECT m.legacy_key, m.legacy_key AS archive_key, jsonb_object_agg(m.legacy_column, m.outcome) AS outcomes
    FROM {state}.legacy_settings_map AS m
    WHERE m.source_id = {source} AND m.legacy_table = 'support_legal'
    GROUP BY m.legacy_key
) AS r
JOIN {target}.organization_settings AS t ON t.organization_id = {organization}
{archived}
UNION ALL
SELECT w.archive_key::integer, w.support_email, w.support_phone, w.knowledge_base_url, w.status_page_url, w.privacy_policy_url, w.terms_url, w.gdpr_contact_email, w.legal_address, w.ticket_portal_url, w.phone_hours, w.notes_html
FROM {whole} AS w

-- The row in force, from the settings of the organization; further rows from the archive.
-- whole: second_singleton_row
-- exact: id, name, legal_name, email, phone, fax, website, vat_tin, address1, address2, city, state, postal, country
SELECT
    r.legacy_key::integer AS id,
    t.support #>> '{{company,name}}' AS name,
    t.support #>> '{{company,legalName}}' AS legal_name,
    t.support #>> '{{company,email}}' AS email,
    t.support #>> '{{company,phone}}' AS phone,
    t.support #>> '{{company,fax}}' AS fax,
    t.support #>> '{{company,website}}' AS website,
    t.support #>> '{{company,vatTin}}' AS vat_tin,
    t.support #>> '{{company,address1}}' AS address1,
    t.support #>> '{{company,address2}}' AS address2,
    t.support #>> '{{company,city}}' AS city,
    t.support #>> '{{company,state}}' AS state,
    t.support #>> '{{company,postal}}' AS postal,
    t.support #>> '{{company,country}}' AS country
FROM (
    SELECT DISTINCT m.legacy_key
    FROM {state}.legacy_settings_map AS m
    WHERE m.source_id = {source} AND m.legacy_table = 'company_profile'
) AS r
JOIN {target}.organization_settings AS t ON t.organization_id = {organization}
UNION ALL
SELECT w.archive_key::integer, w.name, w.legal_name, w.email, w.phone, w.fax, w.website, w.vat_tin, w.address1, w.address2, w.city, w.state, w.postal, w.country
FROM {whole} AS w

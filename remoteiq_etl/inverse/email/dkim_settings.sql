-- The keys in use; rows without domain or key from the archive.
-- keys: dkim_keys
-- whole: blank_domain, domain_only
-- exact: id, updated_at
-- lost: domain: capitals and blanks around it are not kept
-- lost: selector: blanks around it are not kept
-- lost: private_key: line ends written as \n are repaired; of a row without a domain it is a secret without a place
SELECT r.legacy_key AS id, d.domain, t.selector, t.private_key, t.created_at AS updated_at
FROM {rows} AS r
JOIN {target}.dkim_keys AS t ON t.id = r.new_key
JOIN {target}.dkim_domains AS d ON d.id = t.dkim_domain_id
UNION ALL
SELECT w.archive_key::smallint, w.domain, w.selector, NULL, w.updated_at
FROM {whole} AS w

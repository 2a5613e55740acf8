-- Keys of the table, and those that the new application made.
-- keys: dkim_keys
-- new: EXISTS (SELECT FROM {target}.dkim_domains AS o WHERE o.id = n.dkim_domain_id AND o.organization_id = {organization})
-- exact: id, created_at
-- lost: domain: capitals and blanks around it are not kept
-- lost: selector: blanks around it are not kept
-- lost: private_key: line ends written as \n are repaired
-- lost: updated_at: one that is earlier than created_at reads as that
SELECT
    r.legacy_key AS id,
    d.domain,
    t.selector,
    t.private_key,
    t.created_at,
    coalesce(t.rotated_at, t.created_at) AS updated_at
FROM {rows} AS r
JOIN {target}.dkim_keys AS t ON t.id = r.new_key
JOIN {target}.dkim_domains AS d ON d.id = t.dkim_domain_id

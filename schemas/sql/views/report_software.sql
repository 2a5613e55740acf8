SELECT
    coalesce(nullif(btrim(w.publisher), ''), '(unknown)') AS publisher,
    w.name,
    w.version,
    count(DISTINCT g.device_id) AS devices,
    count(DISTINCT s.client_id) AS clients,
    min(w.install_date) AS first_installed_at,
    max(w.install_date) AS last_installed_at
FROM {schema}.agent_software AS w
JOIN {schema}.agents AS g ON g.id = w.agent_id
LEFT JOIN {schema}.devices AS d ON d.id = g.device_id
LEFT JOIN {schema}.sites AS s ON s.id = d.site_id
GROUP BY coalesce(nullif(btrim(w.publisher), ''), '(unknown)'), w.name, w.version

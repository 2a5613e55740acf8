-- Of the keys of one domain and selector the recorded one stands; else that of dkim_settings, which is in use, then the latest.
-- Literal \n in a key is a line end.
-- reads: dkim_settings, dkim_keys
-- not compared: public_key: derived from the private key, which takes a parser
WITH keys AS (
    SELECT
        'dkim_settings' AS _legacy_table,
        id,
        domain,
        selector,
        private_key,
        updated_at AS created_at,
        NULL::timestamptz AS updated_at
    FROM legacy_dkim_settings
    UNION ALL
    SELECT 'dkim_keys', id, domain, selector, private_key, coalesce(created_at, updated_at), updated_at
    FROM legacy_dkim_keys
),

cleaned AS (
    SELECT
        *,
        pg_temp.lowered(domain) AS domain_name,
        btrim(
            selector,
            E'\t\n\x0b\f\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2000\u2001\u2002'
            || E'\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'
        ) AS selector_name
    FROM keys
    WHERE
        pg_temp.lowered(domain) IS NOT NULL
        AND pg_temp.tidy(selector) IS NOT NULL
        AND pg_temp.tidy(private_key) IS NOT NULL
),

standing AS (
    SELECT DISTINCT ON (k.domain_name, k.selector_name) k.*
    FROM cleaned AS k
    LEFT JOIN map_dkim_keys AS w
        ON w.legacy_table = 'winner' AND w.legacy_key::jsonb = jsonb_build_array(k.domain_name, k.selector_name)
    ORDER BY
        k.domain_name,
        k.selector_name,
        w.decision IS NOT NULL AND w.decision ->> 'table' = k._legacy_table AND w.decision ->> 'key' = k.id::text DESC,
        k._legacy_table = 'dkim_settings' DESC,
        k.updated_at DESC NULLS LAST,
        k.id
)

SELECT
    k._legacy_table,
    k.id AS _legacy_key,
    m.new_key AS id,
    d.new_key AS dkim_domain_id,
    k.selector_name AS selector,
    replace(replace(k.private_key, '\r\n', E'\n'), '\n', E'\n') AS private_key,
    k.created_at,
    CASE WHEN k.updated_at > k.created_at THEN k.updated_at END AS rotated_at
FROM standing AS k
LEFT JOIN map_dkim_keys AS m ON m.legacy_table = k._legacy_table AND m.legacy_key::text = k.id::text
LEFT JOIN map_dkim_domains AS d ON d.legacy_table = 'derived' AND d.legacy_key::text = k.domain_name

-- An account that was in the target before us keeps its password and its status.
-- reads: users
-- each row: users
WITH white (spaces) AS (
    VALUES ('\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000')
),

told AS (
    SELECT
        u.*,
        least(u.created_at, u.updated_at, u.last_seen, u.password_updated_at) AS earliest,
        greatest(u.created_at, u.updated_at, u.last_seen, u.password_updated_at) AS latest,
        regexp_replace(u.name, '^[' || w.spaces || ']+|[' || w.spaces || ']+$', '', 'g') AS bare_name,
        '[' || w.spaces || ']+([^' || w.spaces || ']+)$' AS last_word,
        pg_temp.normalised(u.status) AS word
    FROM legacy_users AS u
    CROSS JOIN white AS w
)

SELECT
    'users' AS _legacy_table,
    u.id AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    pg_temp.lowered(u.email) AS email,
    CASE
        WHEN m.adopted THEN given.password_hash
        WHEN pg_temp.tidy(u.password_hash) IS NULL THEN '!'
        ELSE u.password_hash
    END AS password_hash,
    nullif(regexp_replace(u.bare_name, u.last_word, ''), '') AS first_name,
    substring(u.bare_name FROM u.last_word) AS last_name,
    CASE
        WHEN m.adopted THEN given.status::text
        WHEN u.suspended THEN 'disabled'
        WHEN w.label IS NOT NULL THEN w.label
        WHEN u.word = 'suspended' THEN 'disabled'
        WHEN u.word IN ('active', 'invited', 'disabled') THEN u.word
    END AS status,
    u.last_seen AS last_seen_at,
    coalesce(u.created_at, u.earliest) AS created_at,
    coalesce(u.updated_at, u.latest) AS updated_at,
    u.name,
    u.phone,
    u.address1,
    u.address2,
    u.city,
    u.state,
    u.postal,
    u.country,
    u.timezone,
    u.locale,
    u.avatar_url,
    u.avatar_thumb_url
FROM told AS u
CROSS JOIN source AS s
LEFT JOIN added_word AS w ON w.value_map = 'users.status' AND pg_temp.normalised(w.word) = u.word
LEFT JOIN map_users AS m ON m.legacy_table = 'users' AND m.legacy_key::text = u.id::text
LEFT JOIN target_users AS given ON given.id::text = m.new_key::text

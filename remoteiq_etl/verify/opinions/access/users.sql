-- reads: users
WITH timed AS (
    SELECT
        u.*,
        least(u.created_at, u.updated_at, u.last_seen, u.password_updated_at) AS earliest,
        greatest(u.created_at, u.updated_at, u.last_seen, u.password_updated_at) AS latest,
        pg_temp.tidy(u.name) AS tidy_name,
        lower(btrim(u.status)) AS word
    FROM legacy_users AS u
)

SELECT
    'users' AS _legacy_table,
    u.id AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    pg_temp.lowered(u.email) AS email,
    coalesce(nullif(u.password_hash, ''), '!') AS password_hash,
    regexp_replace(u.tidy_name, ' [^ ]+$', '') AS first_name,
    substring(u.tidy_name FROM ' ([^ ]+)$') AS last_name,
    CASE
        WHEN u.suspended THEN 'disabled'
        WHEN u.word = 'suspended' THEN 'disabled'
        WHEN u.word IN ('active', 'invited', 'disabled') THEN u.word
        ELSE w.label
    END AS status,
    u.last_seen AS last_seen_at,
    coalesce(u.created_at, u.earliest, given.created_at) AS created_at,
    coalesce(u.updated_at, u.latest, given.updated_at) AS updated_at,
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
FROM timed AS u
CROSS JOIN source AS s
LEFT JOIN added_word AS w ON w.value_map = 'users.status' AND lower(btrim(w.word)) = u.word
LEFT JOIN map_users AS m ON m.legacy_table = 'users' AND m.legacy_key::text = u.id::text
LEFT JOIN users AS given ON given.id::text = m.new_key::text

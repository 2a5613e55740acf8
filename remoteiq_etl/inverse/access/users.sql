-- Users with what user_security and their first role know of them. Columns that only some targets have are read where they are.
-- keys: users
-- new: n.organization_id = {organization}
-- exact: id, two_factor_enabled, created_at, updated_at, password_updated_at
-- archive: name, email, last_seen, phone, address1, address2, city, state, postal, country, timezone, locale, avatar_url
-- archive: avatar_thumb_url, status, suspended
-- lost: role: a word that is spelled otherwise reads as the name of the role that it means
-- lost: password_hash: a blank one reads as null
-- lost: totp_secret: retired, a stale leftover
-- lost: two_factor_recovery_codes: kept as hashes alone, which nobody turns back
-- lost: two_factor_secret: blanks, small letters and what stands around it in a URI are not kept
SELECT
    r.legacy_key AS id,
    CASE
        WHEN (r.written ->> 'first_name', r.written ->> 'last_name') IS DISTINCT FROM (t.first_name, t.last_name)
            THEN coalesce(o.more ->> 'name', concat_ws(' ', t.first_name, t.last_name))
        ELSE coalesce(o.more ->> 'name', a.name, concat_ws(' ', t.first_name, t.last_name))
    END AS name,
    CASE WHEN r.written ->> 'email' IS DISTINCT FROM t.email::text THEN t.email::text ELSE coalesce(a.email, t.email::text) END AS email,
    coalesce(
        (
            SELECT ro.name
            FROM {target}.user_roles AS ur
            JOIN {target}.roles AS ro ON ro.id = ur.role_id
            WHERE ur.user_id = t.id
            ORDER BY ur.assigned_at, ro.name
            LIMIT 1
        ),
        a.role,
        ''
    ) AS role,
    coalesce(s.two_factor_enabled, false) AS two_factor_enabled,
    t.status = 'disabled' AND (r.written ->> 'status' IS DISTINCT FROM t.status::text OR coalesce(a.suspended, true)) AS suspended,
    CASE t.status::text WHEN 'disabled' THEN coalesce(a.status, 'suspended') ELSE t.status::text END AS status,
    coalesce(t.last_seen_at, a.last_seen) AS last_seen,
    t.created_at,
    t.updated_at,
    nullif(t.password_hash, '!') AS password_hash,
    s.password_changed_at AS password_updated_at,
    coalesce(o.more ->> 'phone', a.phone) AS phone,
    coalesce(o.more ->> 'address1', a.address1) AS address1,
    coalesce(o.more ->> 'address2', a.address2) AS address2,
    coalesce(o.more ->> 'city', a.city) AS city,
    coalesce(o.more ->> 'state', a.state) AS state,
    coalesce(o.more ->> 'postal', a.postal) AS postal,
    coalesce(o.more ->> 'country', a.country) AS country,
    coalesce(o.more ->> 'timezone', a.timezone) AS timezone,
    coalesce(o.more ->> 'locale', a.locale) AS locale,
    coalesce(o.more ->> 'avatar_url', a.avatar_url) AS avatar_url,
    coalesce(o.more ->> 'avatar_thumb_url', a.avatar_thumb_url) AS avatar_thumb_url,
    NULL AS totp_secret,
    '{{}}'::text[] AS two_factor_recovery_codes,
    s.totp_secret AS two_factor_secret
FROM {rows} AS r
JOIN {target}.users AS t ON t.id = r.new_key
CROSS JOIN LATERAL (SELECT to_jsonb(t) AS more) AS o
LEFT JOIN {target}.user_security AS s ON s.user_id = t.id
{archived}

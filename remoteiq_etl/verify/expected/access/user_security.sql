-- A secret may stand inside an otpauth URI. One that is no base32 is carried as it is: two-factor authentication stays on.
-- reads: users
-- each row: users
WITH parameters AS (
    SELECT id, substring(two_factor_secret COLLATE "C" FROM '(?i)[?&]secret=([^&#]*)') AS encoded
    FROM legacy_users
    WHERE two_factor_secret COLLATE "C" ~* '^[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*otpauth:'
),

uris AS (
    SELECT
        p.id,
        string_agg(
            CASE
                WHEN c.letter[1] = '+' THEN ' '
                WHEN c.letter[1] ~ '^%' THEN chr(greatest(('x' || substr(c.letter[1], 2))::bit(8)::integer, 1))
                ELSE c.letter[1]
            END,
            '' ORDER BY c.place
        ) AS secret
    FROM parameters AS p
    CROSS JOIN LATERAL regexp_matches(p.encoded, '%[0-9a-fA-F]{2}|.', 'g') WITH ORDINALITY AS c (letter, place)
    GROUP BY p.id
),

secrets AS (
    SELECT
        u.id,
        upper((regexp_replace(
            coalesce(x.secret, u.two_factor_secret),
            '[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]',
            '',
            'g'
        )) COLLATE "C") AS bare
    FROM legacy_users AS u
    LEFT JOIN uris AS x ON x.id = u.id
),

codes AS (
    SELECT
        u.id,
        array_agg(
            CASE
                WHEN pg_temp.lowered(c.code) ~ '^[0-9a-f]{64}$' THEN pg_temp.lowered(c.code)
                ELSE encode(sha256(convert_to(pg_temp.lowered(c.code), 'UTF8')), 'hex')
            END
            ORDER BY c.place
        ) AS hashed
    FROM legacy_users AS u
    CROSS JOIN LATERAL unnest(u.two_factor_recovery_codes) WITH ORDINALITY AS c (code, place)
    WHERE pg_temp.lowered(c.code) IS NOT NULL
    GROUP BY u.id
)

SELECT
    'users' AS _legacy_table,
    u.id AS _legacy_key,
    m.new_key AS user_id,
    u.two_factor_enabled,
    CASE
        WHEN pg_temp.tidy(u.two_factor_secret) IS NULL THEN NULL
        WHEN x.bare ~ '^[A-Z2-7]+=*$' THEN x.bare
        ELSE u.two_factor_secret
    END AS totp_secret,
    coalesce(c.hashed, '{}') AS recovery_codes,
    u.password_updated_at AS password_changed_at,
    coalesce(u.created_at, least(u.updated_at, u.last_seen, u.password_updated_at)) AS created_at,
    coalesce(u.updated_at, greatest(u.created_at, u.last_seen, u.password_updated_at)) AS updated_at
FROM legacy_users AS u
JOIN secrets AS x ON x.id = u.id
LEFT JOIN codes AS c ON c.id = u.id
LEFT JOIN map_users AS m ON m.legacy_table = 'users' AND m.legacy_key::text = u.id::text
WHERE m.adopted IS NOT TRUE -- an account that was in the target before us gets nothing

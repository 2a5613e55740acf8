-- reads: personal_tokens, users(id, created_at)
-- each row: personal_tokens, users by user_id
-- not compared: expires_at: no legacy source, tokens of the legacy application do not expire
-- carried from personal_tokens: name as description, last_used_at
SELECT
    'personal_tokens' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    u.new_key AS user_id,
    l.token_hash,
    l.name AS description,
    coalesce(l.created_at, least(l.last_used_at, l.revoked_at), owner.created_at) AS created_at,
    l.last_used_at,
    -- Revoked at a time that nobody can read is revoked all the same: at the latest time that is known.
    CASE
        WHEN 'revoked_at' = ANY (l._odd_times)
            THEN coalesce(greatest(l.last_used_at, l.created_at), owner.created_at, timestamptz 'epoch')
        ELSE l.revoked_at
    END AS revoked_at
FROM legacy_personal_tokens AS l
LEFT JOIN legacy_users AS owner ON owner.id = l.user_id
LEFT JOIN map_personal_access_tokens AS m ON m.legacy_table = 'personal_tokens' AND m.legacy_key::text = l.id::text
LEFT JOIN map_users AS u ON u.legacy_table = 'users' AND u.legacy_key::text = l.user_id::text AND u.state IN ('live', 'merged')
WHERE u.adopted IS NOT TRUE -- an account that was in the target before us gets none

-- reads: login_challenges, users(id, created_at)
-- each row: login_challenges, users by user_id
-- not compared: consumed_at: no legacy source
SELECT
    'login_challenges' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    u.new_key AS user_id,
    '!' AS challenge,
    coalesce(l.created_at, owner.created_at) + interval '10 minutes' AS expires_at,
    coalesce(l.created_at, owner.created_at) AS created_at
FROM legacy_login_challenges AS l
LEFT JOIN legacy_users AS owner ON owner.id = l.user_id
LEFT JOIN map_login_challenges AS m ON m.legacy_table = 'login_challenges' AND m.legacy_key::text = l.id::text
LEFT JOIN map_users AS u ON u.legacy_table = 'users' AND u.legacy_key::text = l.user_id::text AND u.state IN ('live', 'merged')
WHERE u.adopted IS NOT TRUE -- an account that was in the target before us gets none

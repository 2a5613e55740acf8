-- Login challenges.
-- keys: login_challenges
-- new: EXISTS (SELECT FROM {target}.users AS o WHERE o.id = n.user_id AND o.organization_id = {organization})
-- exact: id, user_id, created_at
SELECT r.legacy_key AS id, coalesce(u.legacy_key::uuid, t.user_id) AS user_id, t.created_at
FROM {rows} AS r
JOIN {target}.login_challenges AS t ON t.id = r.new_key
LEFT JOIN {state}.legacy_users_map AS u
    ON u.source_id = {source} AND u.legacy_table = 'users' AND u.state = 'live' AND u.new_key = t.user_id

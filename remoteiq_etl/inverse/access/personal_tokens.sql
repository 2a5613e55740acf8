-- Personal access tokens.
-- keys: personal_access_tokens
-- new: EXISTS (SELECT FROM {target}.users AS o WHERE o.id = n.user_id AND o.organization_id = {organization})
-- exact: id, user_id, name, token_hash, last_used_at, revoked_at
-- lost: created_at: a missing one is filled
SELECT
    r.legacy_key AS id,
    coalesce(u.legacy_key::uuid, t.user_id) AS user_id,
    t.description AS name,
    t.token_hash,
    t.created_at,
    t.last_used_at,
    t.revoked_at
FROM {rows} AS r
JOIN {target}.personal_access_tokens AS t ON t.id = r.new_key
LEFT JOIN {state}.legacy_users_map AS u
    ON u.source_id = {source} AND u.legacy_table = 'users' AND u.state = 'live' AND u.new_key = t.user_id

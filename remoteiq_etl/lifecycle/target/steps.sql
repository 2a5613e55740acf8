-- name: registered
-- In a script: the source, as a run would register it. Its key is made by the server, so that no script shows it.
INSERT INTO {sources} (name, organization_slug, hash_key)
VALUES (%(source)s, %(slug)s, sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea))
ON CONFLICT (name) DO NOTHING


-- name: moved
-- In a script: the move of a source that stands nowhere yet, or where the script expects it.
INSERT INTO {stages} AS s (source_id, stage, came_from, actor, reason)
SELECT id, %(stage)s, %(came_from)s, 'a script', %(reason)s FROM {sources} WHERE name = %(source)s
ON CONFLICT (source_id) DO UPDATE
SET stage = EXCLUDED.stage, came_from = EXCLUDED.came_from, at = clock_timestamp(), actor = EXCLUDED.actor, role = session_user,
    reason = EXCLUDED.reason, run_id = NULL, details = NULL
WHERE s.stage IS NOT DISTINCT FROM EXCLUDED.came_from


-- name: recorded
INSERT INTO {stage_history} (source_id, came_from, stage, at, actor, role, reason)
SELECT s.source_id, s.came_from, s.stage, s.at, s.actor, s.role, s.reason
FROM {stages} AS s
JOIN {sources} AS o ON o.id = s.source_id
WHERE o.name = %(source)s AND s.stage = %(stage)s AND s.actor = 'a script'

-- name: present
-- The row of a source, made where there is none: from then on it can be locked.
INSERT INTO {stages} (source_id) VALUES (%(source_id)s) ON CONFLICT (source_id) DO NOTHING


-- name: locked
SELECT stage, came_from FROM {stages} WHERE source_id = %(source_id)s FOR UPDATE


-- name: shared
-- After every move that is about to be committed.
SELECT stage FROM {stages} WHERE source_id = %(source_id)s FOR SHARE


-- name: current
SELECT stage, came_from, at, actor, role, reason, run_id, details FROM {stages} WHERE source_id = %(source_id)s


-- name: move
UPDATE {stages}
SET stage = %(stage)s, came_from = %(came_from)s, at = pg_catalog.clock_timestamp(), actor = %(actor)s, role = session_user,
    reason = %(reason)s, run_id = %(run_id)s, details = %(details)s
WHERE source_id = %(source_id)s


-- name: record
INSERT INTO {stage_history} (source_id, came_from, stage, at, actor, role, reason, run_id, details)
SELECT source_id, came_from, stage, at, actor, role, reason, run_id, details FROM {stages} WHERE source_id = %(source_id)s


-- name: history
SELECT stage, came_from, at, actor, role, reason, run_id, details
FROM {stage_history}
WHERE source_id = %(source_id)s
ORDER BY id DESC
LIMIT %(limit)s


-- name: claim
INSERT INTO {stage_claims} (source_id, command, actor) VALUES (%(source_id)s, %(command)s, %(actor)s)
ON CONFLICT (source_id) DO UPDATE
SET command = EXCLUDED.command, actor = EXCLUDED.actor, role = session_user, at = pg_catalog.clock_timestamp()


-- name: claimed
SELECT command, actor, role, at FROM {stage_claims} WHERE source_id = %(source_id)s

-- name: acceptances
SELECT rule, item, detail, reason, actor, accepted_at FROM {gate_acceptances} WHERE source_id = %(source_id)s


-- name: accept
INSERT INTO {gate_acceptances} (source_id, rule, item, detail, reason, actor)
VALUES (%(source_id)s, %(rule)s, %(item)s, %(detail)s, %(reason)s, %(actor)s)
ON CONFLICT (source_id, rule, item) DO UPDATE
SET detail = EXCLUDED.detail, reason = EXCLUDED.reason, actor = EXCLUDED.actor, role = session_user, accepted_at = pg_catalog.clock_timestamp()


-- name: last
-- The approval that counts, whatever became of it.
SELECT id, seen, reason, actor, role, approved_at, until, needs_second, second_actor, second_at, revoked_at, revoked_by, revoke_reason
FROM {gate_approvals}
WHERE source_id = %(source_id)s
ORDER BY id DESC
LIMIT 1


-- name: approve
INSERT INTO {gate_approvals} (source_id, seen, reason, actor, until, needs_second)
VALUES (%(source_id)s, %(seen)s, %(reason)s, %(actor)s, %(until)s, %(needs_second)s)


-- name: second
UPDATE {gate_approvals} SET second_actor = %(actor)s, second_at = pg_catalog.clock_timestamp()
WHERE id = %(id)s AND second_at IS NULL AND revoked_at IS NULL


-- name: revoke
UPDATE {gate_approvals} SET revoked_at = pg_catalog.clock_timestamp(), revoked_by = %(actor)s, revoke_reason = %(reason)s
WHERE id = %(id)s AND revoked_at IS NULL

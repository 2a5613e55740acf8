-- name: last
SELECT id, phase, actor, begun_at, fence, fenced_at, switched_at, schemas, marks, seconds
FROM {cutovers}
WHERE source_id = %(source_id)s
ORDER BY id DESC
LIMIT 1


-- name: begin
INSERT INTO {cutovers} (source_id, phase, actor, fence)
VALUES (%(source_id)s, 'begun', %(actor)s, %(fence)s)
RETURNING id

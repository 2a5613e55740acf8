INSERT INTO {undos} (source_id, digest, plan, status, actor, begun_at, last_run)
VALUES (%(source_id)s, %(digest)s, %(plan)s, 'executing', %(actor)s, clock_timestamp(),
    (SELECT max(r.id) FROM {runs} AS r WHERE r.source_id = %(source_id)s))
RETURNING id

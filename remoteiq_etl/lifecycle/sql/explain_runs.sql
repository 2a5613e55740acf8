SELECT id, status, started_at, finished_at FROM {runs} WHERE id = ANY (%(ids)s) ORDER BY id

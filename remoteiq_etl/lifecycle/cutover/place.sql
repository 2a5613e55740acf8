-- name: is_one
-- Whether another session of this very database holds the advisory lock.
SELECT NOT pg_try_advisory_xact_lock(pg_catalog.hashtextextended(%(name)s, %(key)s))

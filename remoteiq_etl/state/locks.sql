-- name: is_locked
-- Whether a session of the database holds an advisory lock, by its name.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      AND (l.classid::bigint << 32) | l.objid::bigint
          = pg_catalog.hashtextextended(%(name)s, 0)
)

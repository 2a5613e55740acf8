-- name: forget
DELETE FROM {application_parts} WHERE schema_name = %(schema)s AND name = %(name)s


-- name: migrated_roles
SELECT DISTINCT new_key::text FROM {map} WHERE state = 'live' ORDER BY 1


-- name: record
-- What was made, dropped by somebody and made again is recorded as made last; a table given to one role after another keeps its
-- first owner.
INSERT INTO {application_parts} AS p (schema_name, name, profile, former, actor)
VALUES (%(schema)s, %(name)s, %(profile)s, %(former)s, %(actor)s)
ON CONFLICT (schema_name, name) DO UPDATE
SET profile = EXCLUDED.profile, former = coalesce(p.former, EXCLUDED.former), actor = EXCLUDED.actor, role = session_user, made_at = pg_catalog.clock_timestamp()


-- name: records
SELECT name, former FROM {application_parts} WHERE schema_name = %(schema)s

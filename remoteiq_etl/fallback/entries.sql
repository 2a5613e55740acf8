-- name: new
-- Rows of the new application that go back get an entry before legacy has them: a later run finds its way from the one to the other.
-- A hash of one zero says that nothing was written of them; an empty one is that of a row that was forgotten on demand.
WITH before AS (
    SELECT m.legacy_key
    FROM {map} AS m
    WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state = 'live'
        AND m.legacy_key = ANY (%(keys)s::text[]::{legacy_type}[])
),
made AS (
    INSERT INTO {map} AS known (
        source_id, legacy_table, legacy_key, new_key, rule, state, adopted, first_run, last_run, written_hash
    )
    SELECT
        {source_id}, {legacy_table}, n.legacy_key::{legacy_type}, n.new_key::{new_type}, 'carried back', 'live', false, r.id, r.id, '\x00'
    FROM ({rows}) AS n
    CROSS JOIN (SELECT max(id) AS id FROM {runs} WHERE source_id = {source_id}) AS r
    WHERE n.legacy_key::text = ANY (%(keys)s::text[]) AND n.new_key IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM {map} AS o
            WHERE o.source_id = {source_id} AND o.state = 'live' AND o.new_key = n.new_key::{new_type}
        )
    ON CONFLICT ({map_key}) DO UPDATE SET
        new_key = EXCLUDED.new_key, state = 'live', written_hash = '\x00', last_written = NULL, last_run = EXCLUDED.last_run
    WHERE known.state <> 'live' OR known.new_key <> EXCLUDED.new_key
    RETURNING legacy_key
)
SELECT count(*) FROM made WHERE legacy_key NOT IN (SELECT legacy_key FROM before)


-- name: changed
-- What legacy has of these rows counts as written when a run reads them next, whatever the target has.
UPDATE {map} AS m
SET written_hash = '\x00'
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = ANY (%(keys)s::text[]::{legacy_type}[]) AND m.state = 'live'
    AND m.written_hash IS NOT NULL


-- name: gone
-- Rows that neither side has any more.
UPDATE {map} AS m
SET state = 'gone', written_hash = NULL
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = ANY (%(keys)s::text[]::{legacy_type}[])
    AND m.state = 'live' AND NOT EXISTS (SELECT FROM {target} AS t WHERE {key_join})


-- name: refused
-- Legacy did not take these rows after all.
DELETE FROM {map} AS m
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = ANY (%(keys)s::text[]::{legacy_type}[]) AND m.state = 'live'
    AND m.written_hash = '\x00' AND m.source_hash IS NULL


-- name: user_security
SELECT m.legacy_key, t.user_id::text AS new_key
FROM {schema}.legacy_users_map AS m
JOIN {target_schema}.user_security AS t ON t.user_id = m.new_key
WHERE m.source_id = {source_id} AND m.legacy_table = 'users' AND m.state = 'live'


-- name: user_roles
-- Of a user the role that legacy shows.
SELECT m.legacy_key, '["' || t.user_id::text || '","' || t.role_id::text || '"]' AS new_key
FROM {schema}.legacy_users_map AS m
CROSS JOIN LATERAL (
    SELECT ur.user_id, ur.role_id
    FROM {target_schema}.user_roles AS ur
    JOIN {target_schema}.roles AS r ON r.id = ur.role_id
    WHERE ur.user_id = m.new_key
    ORDER BY ur.assigned_at, r.name
    LIMIT 1
) AS t
WHERE m.source_id = {source_id} AND m.legacy_table = 'users' AND m.state = 'live'


-- name: role_permissions
SELECT
    '["' || coalesce(r.legacy_key, t.role_id::text) || '","' || coalesce(p.legacy_key, md5(t.permission_key)::uuid::text) || '"]' AS legacy_key,
    '["' || t.role_id::text || '",' || to_json(t.permission_key)::text || ']' AS new_key
FROM {target_schema}.role_permissions AS t
LEFT JOIN {schema}.legacy_roles_map AS r
    ON r.source_id = {source_id} AND r.legacy_table = 'roles' AND r.state = 'live' AND r.new_key = t.role_id
LEFT JOIN {schema}.legacy_permissions_map AS p
    ON p.source_id = {source_id} AND p.legacy_table = 'permissions' AND p.state = 'live' AND p.new_key = t.permission_key


-- name: agent_task_runs
-- Of a job the run that has a result, else the first.
SELECT m.legacy_key, t.id::text AS new_key
FROM {schema}.legacy_agent_tasks_map AS m
CROSS JOIN LATERAL (
    SELECT run.id
    FROM {target_schema}.agent_task_runs AS run
    LEFT JOIN {target_schema}.agent_task_results AS x ON x.run_id = run.id
    WHERE run.task_id = m.new_key
    ORDER BY x.run_id IS NULL, run.attempt, run.id
    LIMIT 1
) AS t
WHERE m.source_id = {source_id} AND m.legacy_table = 'jobs' AND m.state = 'live'


-- name: agent_task_results
SELECT m.legacy_key, x.run_id::text AS new_key
FROM {schema}.legacy_agent_task_runs_map AS m
JOIN {target_schema}.agent_task_results AS x ON x.run_id = m.new_key
WHERE m.source_id = {source_id} AND m.legacy_table = 'jobs' AND m.state = 'live'


-- name: backup_job_artifacts
SELECT m.legacy_key, t.id::text AS new_key
FROM {schema}.legacy_backup_jobs_map AS m
CROSS JOIN LATERAL (
    SELECT a.id FROM {target_schema}.backup_job_artifacts AS a WHERE a.backup_job_id = m.new_key ORDER BY a.created_at, a.id LIMIT 1
) AS t
WHERE m.source_id = {source_id} AND m.legacy_table = 'backup_jobs' AND m.state = 'live'


-- name: ticket_numbers
-- A new ticket has the same number on both sides; else a run would take its own row for another ticket of that number.
UPDATE {map} AS m
SET
    rule = 'number_kept',
    decision = jsonb_build_object('ticket_number', t.ticket_number, 'legacy_number', t.ticket_number)
FROM {target} AS t
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = ANY (%(keys)s::text[]::{legacy_type}[]) AND m.state = 'live'
    AND m.decision IS NULL AND {key_join}

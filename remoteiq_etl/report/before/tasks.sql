-- name: accounts_adopted
-- Accounts that were in the target before the first run.
SELECT new_key AS key FROM {map_all}
WHERE source = %(source)s AND entity = 'users' AND state = 'live' AND rule = 'adopted'


-- name: accounts_to_merge
-- Accounts whose e-mail address another account has.
SELECT legacy_key AS key FROM {quarantine}
WHERE source_id = %(source_id)s AND table_name = 'users' AND rule = 'duplicate_email' AND released_run IS NULL AND ignored_at IS NULL


-- name: agents_to_enrol
-- Agents whose token has no column in the target.
SELECT legacy_key AS key FROM {legacy_archive}
WHERE source_id = %(source_id)s AND legacy_table = 'agents' AND "column" = 'token_hash' AND gone_run IS NULL
  AND rule = 'must_enrol_again'


-- name: backups_at_cutover
-- Backup policies of ours that are off until the cut-over, and were on in legacy.
SELECT p.id::text AS key
FROM {backup_policies} AS p
JOIN {map_all} AS m ON m.entity = 'backup_policies' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = p.id::text
WHERE (p.options ->> 'enabled') IS DISTINCT FROM 'true' AND (p.options ->> 'legacyEnabled') IS NOT DISTINCT FROM 'true'


-- name: backups_start
-- Backup policies that are switched on, ours and others.
SELECT id::text AS key FROM {backup_policies} WHERE (options ->> 'enabled') IS NOT DISTINCT FROM 'true'


-- name: conflicts_decided
-- Conflicts with a decision that no run has carried out.
SELECT table_name || ' ' || new_key AS key FROM {conflicts}
WHERE source_id = %(source_id)s AND resolved_run IS NULL AND decision IS NOT NULL


-- name: conflicts_open
-- Conflicts about which nobody has decided.
SELECT table_name || ' ' || new_key AS key FROM {conflicts}
WHERE source_id = %(source_id)s AND resolved_run IS NULL AND decision IS NULL


-- name: connections_missing
-- Backup destinations that name a connection which the target does not have.
SELECT d.id::text AS key
FROM {backup_destinations} AS d
JOIN {map_all} AS m ON m.entity = 'backup_destinations' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = d.id::text
WHERE d.configuration ->> 'connectionId' IS NOT NULL
  AND NOT EXISTS (SELECT FROM {storage_connections} AS c WHERE c.id::text = d.configuration ->> 'connectionId')


-- name: decisions_to_know
-- What decisions warn of, by table and rule, with the number of keys.
SELECT w.table_name || ' ' || w.rule || ': ' || count(*) AS key
FROM {decision_warnings} AS w
WHERE w.source_id = %(source_id)s
GROUP BY w.table_name, w.rule


-- name: drift_accepted
-- Differences of the legacy schema that somebody accepted: what is in them is archived only.
SELECT name AS key FROM {accepted_drift} WHERE source_id = %(source_id)s


-- name: held_open
-- Rows that wait for a parent.
SELECT table_name || ' ' || legacy_key AS key FROM {held} WHERE source_id = %(source_id)s AND released_run IS NULL


-- name: gone_listed
-- Rows gone from legacy whose target row is there.
SELECT table_name || ' ' || legacy_key AS key FROM {gone}
WHERE source_id = %(source_id)s AND returned_run IS NULL AND outcome = 'listed'


-- name: mailboxes_start
-- Channels whose mailbox the application polls once it runs.
SELECT id::text AS key FROM {email_channels} WHERE is_inbound_enabled


-- name: quarantine_open
-- Quarantined rows that nobody has accepted.
SELECT table_name || ' ' || legacy_key AS key FROM {quarantine}
WHERE source_id = %(source_id)s AND released_run IS NULL AND ignored_at IS NULL


-- name: passwords_to_set
-- Active accounts of ours that no password opens.
SELECT u.id::text AS key
FROM {users} AS u
JOIN {map_all} AS m ON m.entity = 'users' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = u.id::text
WHERE m.rule <> 'adopted' AND u.status = 'active' AND u.password_hash = '!'


-- name: schema_incomplete
-- Foreign keys and indexes that were left out for the load and are not back.
SELECT name AS key FROM {removed} WHERE schema_name = %(schema)s AND state <> 'valid'


-- name: script_checks
-- Script checks that legacy runs everywhere: nothing assigns them in the target.
SELECT c.name AS key
FROM {checks} AS c
JOIN {map_all} AS m ON m.entity = 'checks' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = c.id::text
WHERE m.legacy_table = 'checks' AND upper(btrim(c.config ->> 'scope') COLLATE "C") = 'GLOBAL' AND upper(btrim(c.config ->> 'legacyType') COLLATE "C") = 'SCRIPT'
  AND (c.config ->> 'enabled') IS NOT DISTINCT FROM 'true'
  AND NOT EXISTS (SELECT FROM {check_assignments} AS a WHERE a.check_id = c.id AND a.target_type::text = 'organization')


-- name: second_factor_missing
-- Accounts of ours with two-factor sign-in switched on and no secret.
SELECT s.user_id::text AS key
FROM {user_security} AS s
JOIN {map_all} AS m ON m.entity = 'user_security' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = s.user_id::text
WHERE s.two_factor_enabled AND coalesce(btrim(s.totp_secret), '') = ''


-- name: second_factor_unreadable
-- Accounts of which a run said that their second factor is carried as it is, and may not work.
SELECT w.key || ' ' || n AS key
FROM {ledger} AS k
JOIN {runs} AS r ON r.id = k.run_id
JOIN {assets} AS a ON a.source_id = r.source_id AND a.table_name = k.table_name AND k.run_id >= a.full_run
CROSS JOIN LATERAL jsonb_each_text(k.warnings) AS w
CROSS JOIN LATERAL generate_series(1, w.value::int) AS n
WHERE r.source_id = %(source_id)s AND k.table_name = 'user_security' AND w.key IN ('totp_unreadable', 'totp_parameters')


-- name: secrets_withheld
-- Secrets without a place in the target that were not kept.
SELECT legacy_table || '.' || "column" || ' of ' || legacy_key AS key FROM {legacy_archive}
WHERE source_id = %(source_id)s AND withheld AND gone_run IS NULL


-- name: tables_unfinished
-- Tables that no run has completed, of those that have a source.
SELECT asset AS key FROM unnest(%(assets)s::text[]) AS asset
WHERE NOT EXISTS (SELECT FROM {assets} AS a WHERE a.source_id = %(source_id)s AND a.table_name = asset)


-- name: task
-- How many rows a kind of task has, and the first of them.
SELECT count(*)::bigint, coalesce((array_agg(one.key ORDER BY one.key))[1:%(few)s], '{{}}') FROM ({rows}) AS one


-- name: work_starts
-- Work that is not finished: the application takes it up as soon as it runs.
SELECT 'agent_tasks ' || id::text AS key FROM {agent_tasks} WHERE status::text IN ('queued', 'pending', 'dispatched', 'running')
UNION ALL
SELECT 'backup_jobs ' || id::text FROM {backup_jobs} WHERE status::text IN ('pending', 'running')

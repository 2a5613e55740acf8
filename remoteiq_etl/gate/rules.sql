-- name: accounts_to_merge
-- Accounts whose e-mail address another account has.
SELECT legacy_key, detail FROM {quarantine}
WHERE source_id = %(source_id)s AND table_name = 'users' AND rule = 'duplicate_email' AND released_run IS NULL
ORDER BY legacy_key COLLATE "C"


-- name: agents_to_enrol
-- Agents whose token has no column in the target.
SELECT legacy_key, 'its token has no place in the target' FROM {legacy_archive}
WHERE source_id = %(source_id)s AND legacy_table = 'agents' AND "column" = 'token_hash' AND gone_run IS NULL
  AND rule = 'must_enrol_again'
ORDER BY legacy_key COLLATE "C"


-- name: conflicts
-- Conflicts that nobody has decided, and decisions that no run has carried out.
SELECT table_name || ' ' || new_key, CASE WHEN decision IS NULL THEN 'nobody has decided' ELSE 'decided, and no run has done it' END
FROM {conflicts}
WHERE source_id = %(source_id)s AND resolved_run IS NULL
ORDER BY 1


-- name: held_rows
-- Rows that wait for a parent.
SELECT table_name || ' ' || legacy_key, 'waits for a row of ' || parent_table FROM {held}
WHERE source_id = %(source_id)s AND released_run IS NULL
ORDER BY 1


-- name: quarantined_rows
-- Quarantined rows that nobody has accepted, but for accounts to merge.
SELECT table_name || ' ' || legacy_key, rule FROM {quarantine}
WHERE source_id = %(source_id)s AND released_run IS NULL AND ignored_at IS NULL
  AND (table_name <> 'users' OR rule <> 'duplicate_email')
ORDER BY 1


-- name: schema_parts
-- Foreign keys and indexes that were left out for the load and are not back, or not validated.
SELECT name, state FROM {removed} WHERE schema_name = %(schema)s AND state <> 'valid' ORDER BY 1


-- name: rehearsal
-- The last rehearsal.
SELECT id, verdict, code, legacy_schema, target_schema, actor, ended_at FROM {rehearsals}
WHERE source_id = %(source_id)s
ORDER BY id DESC
LIMIT 1

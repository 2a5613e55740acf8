-- Accounts whose e-mail address another account has.
SELECT legacy_key AS key FROM {quarantine}
WHERE source_id = %(source_id)s AND table_name = 'users' AND rule = 'duplicate_email' AND released_run IS NULL AND ignored_at IS NULL

-- Accounts that were in the target before the first run.
SELECT new_key AS key FROM {map_all}
WHERE source = %(source)s AND entity = 'users' AND state = 'live' AND rule = 'adopted'

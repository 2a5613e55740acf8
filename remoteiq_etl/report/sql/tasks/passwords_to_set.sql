-- Active accounts of ours that no password opens.
SELECT u.id::text AS key
FROM {users} AS u
JOIN {map_all} AS m ON m.entity = 'users' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = u.id::text
WHERE m.rule <> 'adopted' AND u.status = 'active' AND u.password_hash = '!'

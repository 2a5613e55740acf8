-- Accounts of ours with two-factor sign-in switched on and no secret.
SELECT s.user_id::text AS key
FROM {user_security} AS s
JOIN {map_all} AS m ON m.entity = 'user_security' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = s.user_id::text
WHERE s.two_factor_enabled AND coalesce(btrim(s.totp_secret), '') = ''

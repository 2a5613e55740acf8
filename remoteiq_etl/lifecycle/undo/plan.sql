-- name: digest
-- Per table what a plan was computed from: equal only when each row, what is to be done with it and why, is the same.
SELECT u.table_name, count(*), encode(sha256(convert_to(string_agg(h.text, '' ORDER BY u.new_key COLLATE "C"), 'UTF8')), 'hex')
FROM undoing AS u
CROSS JOIN LATERAL (SELECT encode(sha256(convert_to(ROW(u.*)::text, 'UTF8')), 'hex') AS text) AS h
GROUP BY u.table_name
ORDER BY u.table_name

-- name: grants
EXISTS (SELECT FROM {holders} AS h WHERE h.new_key = {column} AND h.state = 'live')


-- name: unmanaged
-- Rows that no map leads to, of whatever source, those first that grant something to a row of ours.
SELECT {key} AS key, {grants} AS grants
FROM {target} AS t
WHERE NOT EXISTS (SELECT FROM {map} AS m WHERE m.state = 'live' AND {key_join})
ORDER BY 2 DESC, 1

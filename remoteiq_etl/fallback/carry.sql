-- name: begin
INSERT INTO {fall_back_batches} (source_id, cutover_id, legacy_table, operation, "rows")
VALUES (%(source_id)s, %(cutover_id)s, %(table)s, %(operation)s, %(rows)s)
RETURNING id


-- name: wrote
UPDATE {fall_back_batches} SET legacy_xids = %(xids)s WHERE id = %(id)s


-- name: done
UPDATE {fall_back_batches} SET done_at = clock_timestamp(), refused = %(refused)s WHERE id = %(id)s


-- name: own
SELECT x.xid
FROM {fall_back_batches} AS b
CROSS JOIN LATERAL unnest(b.legacy_xids) AS x (xid)
WHERE b.source_id = %(source_id)s AND b.cutover_id = %(cutover_id)s


-- name: waiting
SELECT EXISTS (SELECT FROM {fall_back_batches} WHERE source_id = %(source_id)s AND noted_at IS NULL)


-- name: noted
UPDATE {fall_back_batches} SET noted_at = clock_timestamp() WHERE source_id = %(source_id)s AND noted_at IS NULL

-- name: begin
INSERT INTO {fall_back_batches} (source_id, cutover_id, legacy_table, operation, legacy_xid, "rows")
VALUES (%(source_id)s, %(cutover_id)s, %(table)s, %(operation)s, %(xid)s, %(rows)s)
RETURNING id


-- name: done
UPDATE {fall_back_batches} SET done_at = clock_timestamp(), refused = %(refused)s WHERE id = %(id)s


-- name: own
SELECT legacy_xid FROM {fall_back_batches} WHERE source_id = %(source_id)s AND cutover_id = %(cutover_id)s


-- name: waiting
SELECT EXISTS (SELECT FROM {fall_back_batches} WHERE source_id = %(source_id)s AND noted_at IS NULL)


-- name: noted
UPDATE {fall_back_batches} SET noted_at = clock_timestamp() WHERE source_id = %(source_id)s AND noted_at IS NULL

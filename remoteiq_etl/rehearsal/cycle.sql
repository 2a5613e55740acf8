-- name: has_rows
SELECT EXISTS (SELECT FROM {table})


-- name: wal_position
SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_lsn() END


-- name: wal_written
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), %(since)s::pg_lsn)::bigint


-- name: write_again
-- As a row is that somebody has opened and saved: another version of it, with the same values.
UPDATE {table} AS t SET {key} = t.{key} WHERE t.ctid IN (SELECT o.ctid FROM {table} AS o LIMIT {rows})

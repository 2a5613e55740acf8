-- name: system
-- The identifier that a cluster was given when it was made; its copies have it, too.
SELECT system_identifier::text FROM pg_catalog.pg_control_system()


-- name: timeline_of_primary
-- The timeline that is written now. The last checkpoint, which the control file knows, may be of the one before a failover.
SELECT ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint::text


-- name: timeline_of_receiver
-- The timeline that a standby receives; NULL for a role without pg_read_all_stats, and where nothing is received.
SELECT max(received_tli)::text FROM pg_catalog.pg_stat_wal_receiver


-- name: timeline_of_recovery
-- The latest timeline that the control file of a standby knows of.
SELECT greatest(r.min_recovery_end_timeline, c.timeline_id)::text
FROM pg_catalog.pg_control_recovery() AS r, pg_catalog.pg_control_checkpoint() AS c


-- name: timeline_of_checkpoint
SELECT timeline_id::text FROM pg_catalog.pg_control_checkpoint()


-- name: tables
-- A restored dump has the same tables under other ids.
SELECT pg_catalog.md5(pg_catalog.string_agg(c.relname || ' ' || c.oid, ',' ORDER BY c.relname))
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = ANY (%s)

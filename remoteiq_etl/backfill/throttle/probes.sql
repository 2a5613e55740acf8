-- name: connections
-- Per cent of the connections that an ordinary role may open. pg_stat_database counts them for a role that sees no other's.
SELECT 100.0 * (SELECT sum(d.numbackends) FROM pg_catalog.pg_stat_database AS d)
    / greatest(1, pg_catalog.current_setting('max_connections')::integer
        - pg_catalog.current_setting('superuser_reserved_connections')::integer)


-- name: replication
-- How far the slowest standby (or subscriber) is behind; on a standby also how far it is itself. One row.
-- hidden: standbys that this role may not look into.
SELECT
    coalesce(max(behind.seconds), 0)::float8 AS seconds,
    coalesce(max(behind.bytes), 0)::float8 AS bytes,
    count(*) FILTER (WHERE behind.hidden) AS hidden
FROM (
    SELECT
        extract(epoch FROM r.replay_lag) AS seconds,
        pg_catalog.pg_wal_lsn_diff(
            CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                ELSE pg_catalog.pg_current_wal_lsn() END,
            r.replay_lsn
        ) AS bytes,
        r.state IS NULL AS hidden
    FROM pg_catalog.pg_stat_replication AS r
    WHERE r.state IS NULL OR r.state IN ('streaming', 'catchup')
    UNION ALL
    SELECT
        extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()),
        pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn()),
        false
    WHERE pg_catalog.pg_is_in_recovery()
      AND pg_catalog.pg_last_wal_receive_lsn() > pg_catalog.pg_last_wal_replay_lsn()
) AS behind


-- name: waiting
-- The sessions that wait for a lock which one of these sessions holds. pg_locks shows everybody's, to everybody.
SELECT waiting.pid
FROM (SELECT DISTINCT l.pid FROM pg_catalog.pg_locks AS l WHERE NOT l.granted) AS waiting
WHERE pg_catalog.pg_blocking_pids(waiting.pid) && %(ours)s::integer[]

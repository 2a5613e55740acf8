-- Ids are version 5 uuids: sha1 over namespace and name, cut to 16 bytes, six bits of them fixed.
-- OFFSET 0: without it the planner would work digest and date out once for each place that uses them.
WITH hashed AS (
    SELECT
        s.*,
        {source_hash} AS source_hash,
        digest(decode({namespace}, 'hex') || convert_to('["agent_software","agent_software","' || s.id || '"]', 'UTF8'), 'sha1') AS sha1
    FROM legacy.agent_software AS s
    OFFSET 0
), transformed AS MATERIALIZED (
    SELECT
        h.id AS legacy_key,
        h.source_hash,
        encode(substring(set_byte(set_byte(h.sha1, 6, get_byte(h.sha1, 6) & 15 | 80), 8, get_byte(h.sha1, 8) & 63 | 128) FOR 16), 'hex')::uuid AS id,
        m.new_key AS agent_id,
        h.name,
        h.publisher,
        h.version,
        CASE WHEN d.moment >= '1970-01-01' AND d.moment < '2101-01-01' THEN d.moment END AS install_date,
        h.updated_at
    FROM hashed AS h
    JOIN remoteiq_etl.legacy_agents_map AS m
        ON m.source_id = {source_id} AND m.legacy_table = 'agents' AND m.legacy_key = h.agent_id::text AND m.state = 'live'
    CROSS JOIN LATERAL (SELECT CASE
        WHEN h.install_date ~ '^([0-9]{{8}}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ].*)?|[0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{4}})$'
            AND pg_input_is_valid(h.install_date, 'timestamptz') THEN h.install_date::timestamptz
        WHEN h.install_date ~ '^[0-9]{{9,10}}$' THEN to_timestamp(h.install_date::double precision)
        WHEN h.install_date ~ '^[0-9]{{12,13}}$' THEN to_timestamp(h.install_date::double precision / 1000)
    END AS moment OFFSET 0) AS d
), written AS (
    INSERT INTO public.agent_software (id, agent_id, name, publisher, version, install_date, created_at, updated_at)
    SELECT id, agent_id, name, publisher, version, install_date, updated_at, updated_at
    FROM transformed
    ORDER BY id
)
INSERT INTO remoteiq_etl.legacy_agent_software_map
    (source_id, legacy_table, legacy_key, new_key, rule, state, adopted, first_run, last_run, source_hash, written_hash)
SELECT {source_id}, 'agent_software', t.legacy_key, t.id, 'derived', 'live', false, 1, 1, t.source_hash, {written_hash}
FROM transformed AS t

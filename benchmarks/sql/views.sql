-- Rows for the reporting views: {agents} devices with an agent each, 40 checks of each, and {rows} check runs and programs.
INSERT INTO organizations (id, name, slug) VALUES (md5('o')::uuid, 'Example', 'example');
INSERT INTO clients (id, organization_id, name) SELECT md5('c' || i)::uuid, md5('o')::uuid, 'Client ' || i FROM generate_series(0, 99) AS i;
INSERT INTO sites (id, client_id, name) SELECT md5('s' || i)::uuid, md5('c' || i % 100)::uuid, 'Site ' || i FROM generate_series(0, 499) AS i;
INSERT INTO devices (id, site_id, hostname, status, last_seen_at)
SELECT md5('d' || i)::uuid, md5('s' || i % 500)::uuid, 'host-' || i, 'online', now() - i * interval '1 minute'
FROM generate_series(0, {agents} - 1) AS i;
INSERT INTO agents (id, device_id, agent_uuid, version, last_check_in_at)
SELECT md5('a' || i)::uuid, md5('d' || i)::uuid, md5('u' || i)::uuid, '1.0', now() - i * interval '1 minute'
FROM generate_series(0, {agents} - 1) AS i;
INSERT INTO checks (id, organization_id, name, type, schedule, config)
SELECT md5('k' || i)::uuid, md5('o')::uuid, 'Check ' || i, 'ping', '* * * * *', '{{}}' FROM generate_series(0, 39) AS i;
INSERT INTO check_assignments (id, check_id, target_type, target_id)
SELECT md5('g' || i || '/' || j)::uuid, md5('k' || j)::uuid, 'device', md5('d' || i)::uuid
FROM generate_series(0, {agents} - 1) AS i CROSS JOIN generate_series(0, 39) AS j;
INSERT INTO check_runs (assignment_id, status, severity, started_at, output)
SELECT md5('g' || i % {agents} || '/' || i % 40)::uuid, CASE WHEN i % 20 = 0 THEN 'failed' ELSE 'passed' END::check_status, 'low',
    now() - i * interval '1 second', 'said so'
FROM generate_series(1, {rows}) AS i;
INSERT INTO agent_software (agent_id, name, publisher, version)
SELECT md5('a' || i % {agents})::uuid, 'Program ' || i % 997, 'Publisher ' || i % 101, (i % 7)::text
FROM generate_series(1, {rows}) AS i;

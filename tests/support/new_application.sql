-- What the new application may do between a cut-over and the way back: of each table that has an inverse something new, something
-- changed and something deleted; and what legacy has no place for.
INSERT INTO users (id, organization_id, email, password_hash, first_name, last_name, status)
SELECT '11111111-1111-4111-8111-111111111111', id, 'new@example.com', 'x', 'New', 'User', 'active' FROM organizations;
INSERT INTO roles (id, organization_id, scope, name, description)
SELECT '66666666-6666-4666-8666-666666666666', id, 'organization', 'Dispatcher', 'Sends people' FROM organizations;
INSERT INTO permissions (permission_key, label, group_key, group_label) VALUES ('dispatch.send', 'Send', 'dispatch', 'Dispatch');
INSERT INTO role_permissions (role_id, permission_key)
VALUES ('66666666-6666-4666-8666-666666666666', 'dispatch.send'), ('66666666-6666-4666-8666-666666666666', 'devices.read');
INSERT INTO user_roles (user_id, role_id) VALUES ('11111111-1111-4111-8111-111111111111', '66666666-6666-4666-8666-666666666666');
INSERT INTO user_security (user_id, two_factor_enabled, totp_secret)
VALUES ('11111111-1111-4111-8111-111111111111', true, 'JBSWY3DPEHPK3PXP');
INSERT INTO sessions (id, user_id, refresh_token, user_agent)
VALUES ('12121212-1212-4212-8212-121212121212', '11111111-1111-4111-8111-111111111111', 'new-jti', 'browser');
INSERT INTO clients (id, organization_id, name) SELECT '13131313-1313-4313-8313-131313131313', id, 'Newcomer' FROM organizations;
INSERT INTO sites (id, client_id, name)
VALUES ('14141414-1414-4414-8414-141414141414', '13131313-1313-4313-8313-131313131313', 'Quay');
INSERT INTO devices (id, site_id, hostname, operating_system, architecture, status)
VALUES ('22222222-2222-4222-8222-222222222222', '14141414-1414-4414-8414-141414141414', 'NEW-1', 'linux', 'x64', 'online');
INSERT INTO agents (id, device_id, agent_uuid, version, last_check_in_at, facts)
VALUES (
    '33333333-3333-4333-8333-333333333333', '22222222-2222-4222-8222-222222222222', '34343434-3434-4434-8434-343434343434', '9.1', now(),
    '{"os": "linux", "arch": "x64", "hostname": "NEW-1"}'
);
INSERT INTO agent_software (id, agent_id, name, version)
VALUES ('35353535-3535-4535-8535-353535353535', '33333333-3333-4333-8333-333333333333', 'New Software', '1.0');
INSERT INTO agent_tasks (id, agent_id, type, payload, status, started_at, completed_at)
VALUES ('44444444-4444-4444-8444-444444444444', '33333333-3333-4333-8333-333333333333', 'script', '{"a": 1}', 'succeeded', now(), now());
INSERT INTO agent_task_runs (id, task_id, attempt, status, started_at, finished_at)
VALUES
    ('45454545-4545-4545-8545-454545454545', '44444444-4444-4444-8444-444444444444', 1, 'failed', now(), now()),
    ('46464646-4646-4646-8646-464646464646', '44444444-4444-4444-8444-444444444444', 2, 'succeeded', now(), now());
INSERT INTO agent_task_results (run_id, stdout, stderr) VALUES ('46464646-4646-4646-8646-464646464646', 'said', '');
INSERT INTO checks (id, organization_id, name, type, config, schedule)
SELECT '77777777-7777-4777-8777-777777777777', id, 'Fresh air', 'ping', '{"host": "192.0.2.1"}', '@every 60s' FROM organizations;
INSERT INTO check_assignments (id, check_id, target_type, target_id)
VALUES ('78787878-7878-4878-8878-787878787878', '77777777-7777-4777-8777-777777777777', 'device', '22222222-2222-4222-8222-222222222222');
INSERT INTO check_runs (id, assignment_id, status, severity, started_at, finished_at, output)
VALUES ('88888888-8888-4888-8888-888888888888', '78787878-7878-4878-8878-787878787878', 'warning', 'medium', now(), now(), 'slow');
INSERT INTO contacts (id, organization_id, name, email)
SELECT '51515151-5151-4151-8151-515151515151', id, 'Neva Newcomer', 'neva@example.com' FROM organizations;
INSERT INTO tickets (id, organization_id, ticket_number, subject, description, requester_contact_id, device_id)
SELECT
    '55555555-5555-4555-8555-555555555555', id, 777777, 'New ticket', 'It hums', '51515151-5151-4151-8151-515151515151',
    '22222222-2222-4222-8222-222222222222'
FROM organizations;
INSERT INTO ticket_updates (id, ticket_id, message)
VALUES ('56565656-5656-4656-8656-565656565656', '55555555-5555-4555-8555-555555555555', 'Looked at');
INSERT INTO ticket_tags (ticket_id, tag) VALUES ('55555555-5555-4555-8555-555555555555', 'urgent');
INSERT INTO user_roles (user_id, role_id, assigned_at)
SELECT '11111111-1111-4111-8111-111111111111', id, now() + interval '1 day' FROM roles WHERE name = 'Technician';
UPDATE organization_settings SET
    localization = localization || '{"currency": "NOK"}',
    branding = branding || '{"primaryColor": "#123456"}',
    support = support || '{"supportUrl": "https://help.example.com"}';
INSERT INTO personal_access_tokens (id, user_id, token_hash, description)
VALUES ('15151515-1515-4515-8515-151515151515', '11111111-1111-4111-8111-111111111111', 'new-token-hash', 'New token');
INSERT INTO trusted_devices (id, user_id, device_fingerprint, last_seen_at)
VALUES ('16161616-1616-4616-8616-161616161616', '11111111-1111-4111-8111-111111111111', 'new-fingerprint', now());
INSERT INTO login_challenges (id, user_id, challenge, expires_at)
VALUES ('17171717-1717-4717-8717-171717171717', '11111111-1111-4111-8111-111111111111', 'h', now() + interval '5 minutes');
INSERT INTO backup_jobs (id, policy_id, status, note, started_at, finished_at)
SELECT '18181818-1818-4818-8818-181818181818'::uuid, id, 'completed'::backup_status, 'new backup', now(), now() FROM backup_policies ORDER BY id LIMIT 1;
INSERT INTO backup_job_logs (job_id, log_text) VALUES ('18181818-1818-4818-8818-181818181818', 'new log');
INSERT INTO backup_job_manifests (job_id, manifest) VALUES ('18181818-1818-4818-8818-181818181818', '{"files": []}');
INSERT INTO backup_restores (id, backup_job_id, status, notes)
VALUES ('19191919-1919-4919-8919-191919191919', '18181818-1818-4818-8818-181818181818', 'completed', 'new restore');
INSERT INTO email_messages (id, channel_id, direction, subject, from_address, payload, received_at)
SELECT '21212121-2121-4121-8121-212121212121', id, 'inbound', 'New mail', 'neva@example.com', '{"uid": 77}', now()
FROM email_channels WHERE name = 'Alerts';
INSERT INTO email_messages (id, channel_id, direction, subject, from_address, payload, received_at)
SELECT '23232323-2323-4323-8323-232323232323', id, 'inbound', 'New event', 'neva@example.com', '{"kind": "reply"}', now()
FROM email_channels WHERE name = 'Alerts';
INSERT INTO dkim_keys (id, dkim_domain_id, selector, public_key, private_key)
SELECT '24242424-2424-4424-8424-242424242424', id, 'new', 'p', 'k' FROM dkim_domains WHERE domain = 'example.org';

UPDATE users SET first_name = 'Augusta', last_seen_at = now() WHERE id = 'c5000000-0000-4000-8000-000000000001';
UPDATE users SET email = 'hopper@example.com' WHERE id = 'c5000000-0000-4000-8000-000000000015';
UPDATE users SET status = 'disabled' WHERE id = 'c5000000-0000-4000-8000-000000000004';
UPDATE users SET password_hash = '$2b$12$another' WHERE id = 'c5000000-0000-4000-8000-000000000005';
DELETE FROM user_roles WHERE user_id = 'c5000000-0000-4000-8000-000000000008';
INSERT INTO user_roles (user_id, role_id) VALUES ('c5000000-0000-4000-8000-000000000008', '66666666-6666-4666-8666-666666666666');
UPDATE roles SET description = 'Everything there is' WHERE id = '0f000000-0000-4000-8000-000000000009';
UPDATE devices SET hostname = 'SRV-003-B', status = 'retired' WHERE id = 'd0000003-0000-4000-8000-000000000000';
UPDATE clients SET name = 'Globex International' WHERE name = 'Globex';
UPDATE devices SET site_id = '14141414-1414-4414-8414-141414141414' WHERE id = 'd0000006-0000-4000-8000-000000000000';
UPDATE agents SET version = '2.0.0', last_check_in_at = now() WHERE agent_uuid = 'a0000004-0000-4000-8000-000000000000';
UPDATE devices SET status = 'online', last_seen_at = now() WHERE id = 'd0000002-0000-4000-8000-000000000000';
UPDATE checks SET config = config || '{"intervalSec": 15}' WHERE id = (SELECT new_key FROM remoteiq_etl.map_checks WHERE legacy_table = 'checks' AND state = 'live' ORDER BY legacy_key LIMIT 1);
UPDATE check_runs SET status = 'failed', severity = 'critical', output = 'worse' WHERE id = 'cb000001-0000-4000-8000-000000000000';
UPDATE tickets SET status = 'closed', subject = 'Printer is out', assignee_user_id = 'c5000000-0000-4000-8000-000000000005'
WHERE id = '7c000001-0000-4000-8000-000000000000';
UPDATE sessions SET revoked_at = now() WHERE refresh_token = 'legacy-cookie-carol';
UPDATE personal_access_tokens SET description = 'CI' WHERE id = 'ab000001-0000-4000-8000-000000000000';
UPDATE backup_jobs SET note = 'looked at' WHERE id = 'b0000003-0000-4000-8000-000000000000';
UPDATE backups_config SET retention_days = 90 WHERE id = 'singleton';
UPDATE email_channels SET smtp_settings = smtp_settings || '{"host": "mail.example.net", "password": "another"}' WHERE name = 'Alerts';
UPDATE email_ingest_state SET last_uid = last_uid + 1, last_synced_at = now()
WHERE channel_id IN (SELECT id FROM email_channels WHERE name IN ('Alerts', 'Reports'));

DELETE FROM sessions WHERE id = '5a000001-0000-4000-8000-000000000001';
DELETE FROM trusted_devices WHERE id = '7d000001-0000-4000-8000-000000000000';
DELETE FROM login_challenges WHERE id = '1c000001-0000-4000-8000-000000000000';
DELETE FROM tickets WHERE id = '7c000007-0000-4000-8000-000000000000';
DELETE FROM role_permissions WHERE role_id = '0f000000-0000-4000-8000-000000000001' AND permission_key = 'audit.view';
DELETE FROM check_runs WHERE id = 'cb000009-0000-4000-8000-000000000000';
DELETE FROM agent_software WHERE name = 'date-null';
DELETE FROM backup_restores WHERE id = 'be000003-0000-4000-8000-000000000000';
DELETE FROM dkim_keys WHERE selector = 'old';

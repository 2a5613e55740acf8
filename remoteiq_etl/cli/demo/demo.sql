-- name: changed_device
UPDATE devices SET last_seen = pg_catalog.now() WHERE hostname = 'SRV-003'


-- name: changed_tickets
UPDATE tickets
SET status = 'closed', updated_at = pg_catalog.now()
WHERE id IN (SELECT id FROM tickets WHERE status = 'open' ORDER BY id LIMIT 2)


-- name: new_ticket
INSERT INTO tickets (title, description, status, priority, client, site)
VALUES ('Printer offline again', 'Opened while the migration was being watched', 'open', 'high', 'Acme', 'HQ')

-- Channels whose mailbox the application polls once it runs.
SELECT id::text AS key FROM {email_channels} WHERE is_inbound_enabled

-- The type of the legacy keys of a map.
SELECT format_type(a.atttypid, NULL)
FROM pg_attribute AS a
WHERE a.attrelid = format('pg_temp.%%I', %(map)s::text)::regclass AND a.attname = 'legacy_key'

INSERT INTO {replaced_functions} (schema_name, name, definition)
VALUES (%s, %s, %s)
ON CONFLICT (schema_name, name) DO UPDATE SET definition = excluded.definition, replaced_at = now()

-- name: keep
INSERT INTO {rehearsals} (source_id, verdict, code, legacy_schema, target_schema, certificate, actor)
VALUES (%(source_id)s, %(verdict)s, %(code)s, %(legacy_schema)s, %(target_schema)s, %(certificate)s, %(actor)s)

-- name: rename_schema
-- What prepare and finalize know of the target's tables goes by the name of its schema.
WITH owner AS (
    UPDATE {schema_owner} SET schema_name = %(new)s WHERE schema_name = %(old)s
), functions AS (
    UPDATE {replaced_functions} SET schema_name = %(new)s WHERE schema_name = %(old)s
)
UPDATE {removed} SET schema_name = %(new)s WHERE schema_name = %(old)s

-- name: add_cast
CREATE CAST (text AS {enum}) WITH FUNCTION {function}(text) AS ASSIGNMENT


-- name: add_column
ALTER TABLE {table} ADD COLUMN {column} {type}


-- name: add_grant
INSERT INTO {role_permissions} (role_id, permission_key) VALUES ({role}, {key})


-- name: add_index
CREATE UNIQUE INDEX {name} ON {table} ({columns})


-- name: add_label
ALTER TYPE {enum} ADD VALUE {label}


-- name: add_permission
INSERT INTO {permissions} (permission_key, label, group_key, group_label) VALUES ({key}, {key}, {group}, {titled})


-- name: add_trigger
CREATE TRIGGER {trigger} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()


-- name: cast_function
-- By way of a record: text that is cast to the type would come back to this function.
CREATE OR REPLACE FUNCTION {function}(text) RETURNS {enum} LANGUAGE sql STABLE STRICT
AS $$ SELECT x.label FROM pg_catalog.jsonb_to_record(pg_catalog.jsonb_build_object('label', {read})) AS x (label {enum}) $$


-- name: drop_cast
DROP CAST (text AS {enum})


-- name: drop_cast_function
DROP FUNCTION {function}(text)


-- name: drop_column
ALTER TABLE {table} DROP COLUMN {column}


-- name: drop_grant
DELETE FROM {role_permissions} WHERE role_id = {role} AND permission_key = {key}


-- name: drop_index
DROP INDEX {index}


-- name: drop_not_null
ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL


-- name: drop_permission
DELETE FROM {permissions} WHERE permission_key = {key}


-- name: drop_table
DROP TABLE {table}


-- name: drop_trigger
DROP TRIGGER {trigger} ON {table}


-- name: drop_trigger_function
DROP FUNCTION {function}()


-- name: has_nulls
SELECT EXISTS (SELECT FROM {table} WHERE {column} IS NULL)


-- name: has_other_than_uuids
SELECT EXISTS (
    SELECT FROM {table}
    WHERE {column} !~ '^[0-9a-fA-F]{{8}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{12}}$'
)


-- name: has_values
SELECT EXISTS (SELECT FROM {table} WHERE {column} IS NOT NULL)


-- name: is_held
SELECT EXISTS (SELECT FROM {role_permissions} WHERE permission_key = {key})


-- name: owner
ALTER TABLE {table} OWNER TO {role}


-- name: set_not_null
ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL


-- name: to_type
ALTER TABLE {table} ALTER COLUMN {column} TYPE {type} USING {column}::text::{type}


-- name: trigger_function
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{body}
END
$$

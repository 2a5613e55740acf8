-- name: channels_first
-- What the redesign says, to the table.
UPDATE {table} AS t SET ({columns}) = ROW({images_of_a})
FROM {source} AS a
WHERE a.organization_id = {owner} AND t.purpose::text = replace(lower(a.name COLLATE "C"), ' ', '_')
    AND ROW({own}) IS DISTINCT FROM ROW({images_of_a});
INSERT INTO {table} (purpose, {columns}, updated_at)
SELECT DISTINCT ON (1) replace(lower(a.name COLLATE "C"), ' ', '_')::{purpose_type}, {images_of_a}, a.updated_at
FROM {source} AS a
WHERE a.organization_id = {owner} AND {is_purpose}
    AND NOT EXISTS (SELECT FROM {table} AS t WHERE t.purpose::text = replace(lower(a.name COLLATE "C"), ' ', '_'))


-- name: channels_first_back
-- What only the table says, to the redesign.
UPDATE {table} AS t SET purpose = t.purpose


-- name: channels_from_table
CREATE OR REPLACE FUNCTION {from_table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    a {source}%ROWTYPE;
    owner uuid := {owner};
    key text := NEW.purpose::text;
    switched boolean;
BEGIN
    IF owner IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT s.* INTO a FROM {source} AS s
    WHERE s.organization_id = owner AND replace(lower(s.name COLLATE "C"), ' ', '_') = key
    ORDER BY s.id LIMIT 1 FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO {source} AS s (organization_id, name, purpose, is_outbound_enabled, is_inbound_enabled)
        VALUES (
            owner, upper(left(key, 1) COLLATE "C") || replace(substr(key, 2), '_', ' '),
            CASE key WHEN 'alerts' THEN 'alerts'::{purposes} ELSE 'system'::{purposes} END, false, false
        )
        RETURNING s.* INTO a;
    END IF;
    switched := (NEW.enabled, btrim(coalesce(NEW.smtp_host, '')), btrim(coalesce(NEW.imap_host, ''))) IS DISTINCT FROM
        ({enabled_of_a}, btrim(coalesce(a.smtp_settings ->> 'host', '')), btrim(coalesce(a.imap_settings ->> 'host', '')));
    {pushes}
    IF switched AND NEW.enabled IS NOT NULL THEN
        a.is_outbound_enabled := NEW.enabled AND btrim(coalesce(NEW.smtp_host, '')) <> '';
        a.is_inbound_enabled := NEW.enabled AND btrim(coalesce(NEW.imap_host, '')) <> '';
        a.smtp_settings := a.smtp_settings || jsonb_build_object('legacyEnabled', NEW.enabled);
    END IF;
    UPDATE {source} AS s
    SET
        smtp_settings = a.smtp_settings, imap_settings = a.imap_settings,
        is_outbound_enabled = a.is_outbound_enabled, is_inbound_enabled = a.is_inbound_enabled
    WHERE s.id = a.id AND (s.smtp_settings, s.imap_settings, s.is_outbound_enabled, s.is_inbound_enabled)
        IS DISTINCT FROM (a.smtp_settings, a.imap_settings, a.is_outbound_enabled, a.is_inbound_enabled);
    UPDATE {table} AS t SET ({columns}) = ROW({images_of_a})
    WHERE t.purpose = NEW.purpose AND ROW({own}) IS DISTINCT FROM ROW({images_of_a});
    RETURN NULL;
END
$$


-- name: channels_out_of_step
SELECT EXISTS (
    SELECT FROM {table} AS t
    LEFT JOIN {source} AS a ON replace(lower(a.name COLLATE "C"), ' ', '_') = t.purpose::text
        AND a.organization_id = {owner}
    WHERE ROW({own}) IS DISTINCT FROM ROW({images_of_a})
)


-- name: channels_to_table
CREATE OR REPLACE FUNCTION {to_table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner uuid := {owner};
    key text;
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND NEW.name IS DISTINCT FROM OLD.name THEN
        IF OLD.organization_id = owner OR owner IS NULL THEN
            DELETE FROM {table} WHERE purpose::text = replace(lower(OLD.name COLLATE "C"), ' ', '_');
        END IF;
    END IF;
    IF TG_OP = 'DELETE' OR NEW.organization_id IS DISTINCT FROM owner THEN
        RETURN NULL;
    END IF;
    key := replace(lower(NEW.name COLLATE "C"), ' ', '_');
    UPDATE {table} AS t SET ({columns}, updated_at) = ROW({images_of_new}, NEW.updated_at)
    WHERE t.purpose::text = key AND ROW({own}) IS DISTINCT FROM ROW({images_of_new});
    IF NOT EXISTS (SELECT FROM {table} WHERE purpose::text = key) AND {is_key} THEN
        INSERT INTO {table} (purpose, {columns}, updated_at) VALUES (key::{purpose_type}, {images_of_new}, NEW.updated_at);
    END IF;
    RETURN NULL;
END
$$


-- name: dkim_chosen
(
    SELECT d.domain, k.selector, k.private_key
    FROM {source} AS k JOIN {domains} AS d ON d.id = k.dkim_domain_id
    WHERE d.organization_id = {owner}
    ORDER BY k.rotated_at IS NOT NULL, k.created_at DESC, k.id
    LIMIT 1
)


-- name: dkim_first
-- The key in use, to the table: of several one that was never rotated, the newest.
UPDATE {table} AS t SET domain = c.domain, selector = c.selector, private_key = c.private_key
FROM {chosen} AS c
WHERE coalesce(btrim(t.domain), '') = '' OR coalesce(btrim(t.selector), '') = '' OR coalesce(btrim(t.private_key), '') = '';
INSERT INTO {table} (id, domain, selector, private_key)
SELECT '1'::{id_type}, c.domain, c.selector, c.private_key FROM {chosen} AS c WHERE NOT EXISTS (SELECT FROM {table})


-- name: dkim_first_back
UPDATE {table} AS t SET domain = t.domain


-- name: dkim_from_table
-- The public key of another private key is the application's to derive; until then it is empty.
CREATE OR REPLACE FUNCTION {from_table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner uuid := {owner};
    named text := lower(btrim(NEW.domain) COLLATE "C");
    chosen text := btrim(NEW.selector);
    of_domain uuid;
BEGIN
    IF owner IS NULL OR coalesce(named, '') = '' OR coalesce(chosen, '') = '' OR coalesce(btrim(NEW.private_key), '') = '' THEN
        RETURN NULL;
    END IF;
    INSERT INTO {domains} (organization_id, domain) VALUES (owner, named) ON CONFLICT (organization_id, domain) DO NOTHING;
    SELECT d.id INTO of_domain FROM {domains} AS d WHERE d.organization_id = owner AND d.domain = named;
    INSERT INTO {source} AS k (dkim_domain_id, selector, public_key, private_key) VALUES (of_domain, chosen, '', NEW.private_key)
    ON CONFLICT (dkim_domain_id, selector) DO UPDATE SET private_key = EXCLUDED.private_key, public_key = '', rotated_at = now()
    WHERE k.private_key IS DISTINCT FROM EXCLUDED.private_key;
    RETURN NULL;
END
$$


-- name: dkim_out_of_step
SELECT EXISTS (
    SELECT FROM {table} AS t
    WHERE NOT EXISTS (
        SELECT FROM {source} AS k JOIN {domains} AS d ON d.id = k.dkim_domain_id
        WHERE d.domain = lower(btrim(t.domain) COLLATE "C") AND k.selector = btrim(t.selector) AND k.private_key = t.private_key
    )
)


-- name: dkim_to_table
-- The table has the key in use. Another key is not taken for it as long as there is one.
CREATE OR REPLACE FUNCTION {to_table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named text;
    owner uuid := {owner};
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM {table} AS t WHERE btrim(t.selector) = OLD.selector AND t.private_key = OLD.private_key;
        RETURN NULL;
    END IF;
    named := (SELECT d.domain FROM {domains} AS d WHERE d.id = NEW.dkim_domain_id AND d.organization_id = owner);
    IF named IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE {table} AS t SET domain = named, selector = NEW.selector, private_key = NEW.private_key, updated_at = now()
    WHERE (
            coalesce(btrim(t.domain), '') = '' OR coalesce(btrim(t.selector), '') = '' OR coalesce(btrim(t.private_key), '') = ''
            OR lower(btrim(t.domain) COLLATE "C") = named AND btrim(t.selector) IN (NEW.selector, OLD.selector)
        )
        AND (lower(btrim(t.domain) COLLATE "C"), btrim(t.selector), t.private_key) IS DISTINCT FROM (named, NEW.selector, NEW.private_key);
    IF NOT EXISTS (SELECT FROM {table}) THEN
        INSERT INTO {table} (id, domain, selector, private_key) VALUES ('1'::{id_type}, named, NEW.selector, NEW.private_key);
    END IF;
    RETURN NULL;
END
$$


-- name: drop_functions
DROP FUNCTION {to_table}(), {from_table}(), {lock_function}()


-- name: drop_table_triggers
DROP TRIGGER {trigger} ON {table};
DROP TRIGGER {lock} ON {table}


-- name: drop_triggers
DROP TRIGGER {trigger} ON {source};
DROP TRIGGER {lock} ON {source}


-- name: lock_function
CREATE OR REPLACE FUNCTION {lock_function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('remoteiq_etl.application_settings'));
    RETURN NULL;
END
$$


-- name: lock_source
DROP TRIGGER IF EXISTS {lock} ON {source};
CREATE TRIGGER {lock} BEFORE INSERT OR UPDATE OR DELETE ON {source} FOR EACH STATEMENT EXECUTE FUNCTION {lock_function}()


-- name: lock_table
DROP TRIGGER IF EXISTS {lock} ON {table};
CREATE TRIGGER {lock} BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {lock_function}()


-- name: on_source
DROP TRIGGER IF EXISTS {trigger} ON {source};
CREATE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE ON {source} FOR EACH ROW EXECUTE FUNCTION {to_table}()


-- name: on_table
DROP TRIGGER IF EXISTS {trigger} ON {table};
CREATE TRIGGER {trigger} AFTER INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {from_table}()


-- name: push
IF {column} IS DISTINCT FROM {image} AND (TG_OP = 'UPDATE' OR {column} IS NOT NULL) THEN
        {document} := CASE WHEN {column} IS NULL THEN {document} #- {path} ELSE jsonb_set({above}, {path}, {value}) END;
    END IF;


-- name: settings_first
-- What the redesign says, to the table.
UPDATE {table} AS t SET ({columns}) = ROW({images_of_a})
FROM {source} AS a
WHERE a.organization_id = {owner} AND {says_a} AND ROW({own}) IS DISTINCT FROM ROW({images_of_a});
INSERT INTO {table} (id, {columns})
SELECT '1'::{id_type}, {images_of_a} FROM {source} AS a
WHERE a.organization_id = {owner} AND {says_a} AND NOT EXISTS (SELECT FROM {table})


-- name: settings_first_back
-- What only the table says, to the redesign.
UPDATE {table} AS t SET id = t.id


-- name: settings_from_table
CREATE OR REPLACE FUNCTION {from_table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    a {source}%ROWTYPE;
    owner uuid := {owner};
BEGIN
    IF owner IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO {source} (organization_id) VALUES (owner) ON CONFLICT (organization_id) DO NOTHING;
    SELECT s.* INTO a FROM {source} AS s WHERE s.organization_id = owner FOR UPDATE;
    {pushes}
    UPDATE {source} AS s SET ({documents}) = ROW({documents_of_a})
    WHERE s.organization_id = owner AND ROW({documents}) IS DISTINCT FROM ROW({documents_of_a});
    UPDATE {table} AS t SET ({columns}) = ROW({images_of_a}) WHERE ROW({own}) IS DISTINCT FROM ROW({images_of_a});
    RETURN NULL;
END
$$


-- name: settings_out_of_step
SELECT EXISTS (
    SELECT FROM {table} AS t
    LEFT JOIN {source} AS a ON a.organization_id = {owner}
    WHERE ROW({own}) IS DISTINCT FROM ROW({images_of_a})
)


-- name: settings_to_table
CREATE OR REPLACE FUNCTION {to_table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner uuid := {owner};
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM {table} WHERE OLD.organization_id = owner OR owner IS NULL;
        RETURN NULL;
    END IF;
    IF NEW.organization_id IS DISTINCT FROM owner OR NOT ({says_new} OR TG_OP = 'UPDATE' AND {says_old}) THEN
        RETURN NULL;
    END IF;
    UPDATE {table} AS t SET ({columns}) = ROW({images_of_new}) WHERE ROW({own}) IS DISTINCT FROM ROW({images_of_new});
    IF NOT EXISTS (SELECT FROM {table}) THEN
        INSERT INTO {table} (id, {columns}) VALUES ('1'::{id_type}, {images_of_new});
    END IF;
    RETURN NULL;
END
$$

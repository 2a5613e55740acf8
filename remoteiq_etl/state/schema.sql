-- name: image_columns
-- The columns of which a before image knows, shown or not.
CREATE OR REPLACE FUNCTION {function}(image jsonb, withheld text[], sealed jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(DISTINCT c.name ORDER BY c.name) FROM (
        SELECT jsonb_object_keys(image)
        UNION ALL SELECT unnest(withheld)
        UNION ALL SELECT jsonb_object_keys(sealed)
    ) AS c (name)
$$


-- name: movements_opening
-- The book begins with what is there of each source, and with nothing where nothing is: what is older is in the ledger alone.
INSERT INTO {movements} (source_id, table_name, run_id, cause, "rows", change)
SELECT s.id, {table_name}, (SELECT max(r.id) FROM {runs} AS r WHERE r.source_id = s.id), 'opening', count(m.source_id), count(m.source_id)
FROM {sources} AS s
LEFT JOIN {map} AS m ON m.source_id = s.id AND m.state = 'live'
GROUP BY s.id


-- name: picked
-- Of a row as JSON: these columns, without some.
CREATE OR REPLACE FUNCTION {function}("row" jsonb, columns text[], without text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(c.name, "row" -> c.name) FROM unnest(columns) AS c (name) WHERE c.name <> ALL (without)
$$


-- name: redacted
-- A JSON value in which every key that names a secret has lost its value.
CREATE OR REPLACE FUNCTION {function}(value jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(value) = 'object' THEN
        RETURN (
            SELECT coalesce(jsonb_object_agg(pair.key, CASE
                WHEN pair.key COLLATE "C" ~* 'password|secret|token|key|credential' THEN '"[redacted]"'::jsonb
                ELSE {function}(pair.value) END), '{{}}'::jsonb)
            FROM jsonb_each(value) AS pair
        );
    ELSIF jsonb_typeof(value) = 'array' THEN
        RETURN (SELECT coalesce(jsonb_agg({function}(item.value) ORDER BY item.ordinality), '[]'::jsonb)
            FROM jsonb_array_elements(value) WITH ORDINALITY AS item);
    END IF;
    RETURN value;
END
$$

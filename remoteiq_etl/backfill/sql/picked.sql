-- Of a row as JSON: these columns, without some.
CREATE OR REPLACE FUNCTION {function}("row" jsonb, columns text[], without text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(c.name, "row" -> c.name) FROM unnest(columns) AS c (name) WHERE c.name <> ALL (without)
$$

-- The columns of which a before image knows, shown or not.
CREATE OR REPLACE FUNCTION {function}(image jsonb, withheld text[], sealed jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(DISTINCT c.name ORDER BY c.name) FROM (
        SELECT jsonb_object_keys(image)
        UNION ALL SELECT unnest(withheld)
        UNION ALL SELECT jsonb_object_keys(sealed)
    ) AS c (name)
$$

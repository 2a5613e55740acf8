-- A JSON value in which every key that names a secret has lost its value.
CREATE OR REPLACE FUNCTION {function}(value jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(value) = 'object' THEN
        RETURN (
            SELECT coalesce(jsonb_object_agg(pair.key, CASE
                WHEN pair.key ~* 'password|secret|token|key|credential' THEN '"[redacted]"'::jsonb
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

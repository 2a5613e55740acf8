-- The address in a text such as `Name <a@b>`, as contacts are known by it: the last in angle brackets, in lower case, with
-- exactly one @ and something on both sides of it; else null.
CREATE OR REPLACE FUNCTION pg_temp.mail_address(said text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN one.address ~ '^[^@]+@[^@]+$' THEN one.address END
    FROM (SELECT pg_temp.lowered(coalesce(substring(said FROM '.*<([^<>]*)>'), said)) AS address) AS one
$$

-- name: raised
-- A word in capitals, letter by letter.
CREATE OR REPLACE FUNCTION pg_temp.raised(word text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN word ~ '^[\u0001-\u007f]*$' THEN upper(word COLLATE "C")
        ELSE (
            SELECT string_agg(coalesce(f.raised, c.letter), '' ORDER BY c.place)
            FROM regexp_split_to_table(word, '') WITH ORDINALITY AS c (letter, place)
            LEFT JOIN pg_temp.case_fold AS f ON f.letter = c.letter
        )
    END
$$


-- name: final_sigma
-- The same text with each capital sigma that ends a word as the small one that does: after a cased letter and before none, what
-- is neither (an accent, an apostrophe) passed over.
CREATE OR REPLACE FUNCTION pg_temp.final_sigma(word text) RETURNS text LANGUAGE sql STABLE AS $$
    WITH kinds AS MATERIALIZED (
        SELECT c.place::int AS place, c.letter, coalesce(f.kind, 'o') AS kind
        FROM regexp_split_to_table(word, '') WITH ORDINALITY AS c (letter, place)
        LEFT JOIN pg_temp.case_fold AS f ON f.letter = c.letter
    ),
    mask AS MATERIALIZED (SELECT string_agg(kind, '' ORDER BY place) AS text FROM kinds)
    SELECT string_agg(
        CASE
            WHEN k.letter = E'\u03a3' AND left(m.text, k.place - 1) ~ 'ci*$' AND substr(m.text, k.place + 1) !~ '^i*c' THEN E'\u03c2'
            ELSE k.letter
        END,
        '' ORDER BY k.place
    )
    FROM kinds AS k
    CROSS JOIN mask AS m
$$


-- name: lowered
-- An e-mail address or a permission key as the new application stores it: trimmed and in lower case; blank is null.
-- lower() is asked of ASCII in the collation C alone, where every server says the same.
CREATE OR REPLACE FUNCTION pg_temp.lowered(key text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(CASE
        WHEN trimmed ~ '^[\u0001-\u007f]*$' THEN lower(trimmed COLLATE "C")
        ELSE (
            SELECT string_agg(coalesce(f.lowered, c.letter), '' ORDER BY c.place)
            FROM regexp_split_to_table(
                CASE WHEN strpos(trimmed, E'\u03a3') > 0 THEN pg_temp.final_sigma(trimmed) ELSE trimmed END, ''
            ) WITH ORDINALITY AS c (letter, place)
            LEFT JOIN pg_temp.case_fold AS f ON f.letter = c.letter
        )
    END, '')
    FROM (VALUES ('[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+')) AS white (space)
    CROSS JOIN LATERAL (
        SELECT regexp_replace(regexp_replace(key, '^' || space, ''), space || '$', '') AS trimmed
    ) AS one
$$


-- name: mail_address
-- The address in a text such as `Name <a@b>`, as contacts are known by it: the last in angle brackets, in lower case, without
-- `mailto:` and what follows a ? then, and without closing brackets at its end; with exactly one @ and something on both sides
-- of it, else null.
CREATE OR REPLACE FUNCTION pg_temp.mail_address(said text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN one.address ~ '^[^@]+@[^@]+$' THEN one.address END
    FROM (VALUES ('\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000')) AS white (spaces)
    CROSS JOIN LATERAL (SELECT pg_temp.lowered(coalesce(substring(said FROM '.*<([^<>]*)>'), said)) AS text) AS inner_text
    CROSS JOIN LATERAL (
        SELECT regexp_replace(
            coalesce(substring(inner_text.text FROM '^mailto:[' || spaces || ']*([^?]*)'), inner_text.text),
            '[>' || spaces || ']+$',
            ''
        ) AS address
    ) AS one
$$


-- name: mail_headers
-- What SQL reads for certain in the headers of a mail, from its first characters. A part that is not `known` is left to the
-- program: encoded words, folded lines, quoted names, comments, several headers of one name, whatever is not plain ASCII.
CREATE OR REPLACE FUNCTION pg_temp.mail_headers(
    mail text,
    OUT message_id text, OUT message_id_known boolean,
    OUT to_addresses text[], OUT to_known boolean,
    OUT cc_addresses text[], OUT cc_known boolean,
    OUT sent_at timestamptz, OUT sent_at_known boolean
) LANGUAGE sql STABLE AS $$
    WITH block AS MATERIALIZED (
        -- Every header begins with the end of a line here; 64 KiB are read of a mail, so a longer block may be cut.
        SELECT split_part(E'\n' || replace(left(mail, 60000), E'\r\n', E'\n') || E'\n', E'\n\n', 1) COLLATE "C" AS text
    ),
    value AS MATERIALIZED (
        SELECT
            b.text ~ '^(\n[!-9;-\[\]-~]+:[\t -\[\]-~]*(\n[\t ]+[!-~][\t -\[\]-~]*)*)*\n?$' AND length(b.text) < 59000
                -- An indented header may be one of its own, or a fold.
                AND b.text !~ '(?i)\n[\t ]+(message-id|to|cc|bcc|from|reply-to|sender|subject|date)[\t ]*:' AS plain,
            (SELECT count(*) FROM regexp_matches(b.text, '\nmessage-id:', 'gi')) AS message_ids,
            substring(b.text FROM '(?i)\nmessage-id:[\t ]*([^\n]*?)[\t ]*(?:\n[^\t ]|\n?$)') AS message_id,
            (SELECT count(*) FROM regexp_matches(b.text, '\nto:', 'gi')) AS tos,
            substring(b.text FROM '(?i)\nto:[\t ]*([^\n]*?)[\t ]*(?:\n[^\t ]|\n?$)') AS addressees,
            (SELECT count(*) FROM regexp_matches(b.text, '\ncc:', 'gi')) AS ccs,
            substring(b.text FROM '(?i)\ncc:[\t ]*([^\n]*?)[\t ]*(?:\n[^\t ]|\n?$)') AS copied,
            (SELECT count(*) FROM regexp_matches(b.text, '\ndate:', 'gi')) AS dates,
            substring(b.text FROM '(?i)\ndate:[\t ]*([^\n]*?)[\t ]*(?:\n[^\t ]|\n?$)') AS date
        FROM block AS b
    ),
    pattern AS MATERIALIZED (
        SELECT
            '[A-Za-z0-9_+=$-]+(?:[.][A-Za-z0-9_+=$-]+)*@[A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)*' AS address,
            '(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?' AS weekday,
            '(?:(?:0?[1-9]|1[0-9]|2[0-8]) [JFMASOND][a-z]{2}|(?:29|30) (?:Jan|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))' AS day,
            '(?:19[789]|20[0-9])[0-9] (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] [+](?:0[0-9]|1[0-3])[0-5][0-9]' AS rest
    ),
    judged AS MATERIALIZED (
        SELECT
            v.*,
            p.address,
            v.message_id ~ ('^<' || p.address || '>$') AS message_id_plain,
            v.addressees ~ ('^' || one.mailbox || '( *, *' || one.mailbox || ')*$') AS to_plain,
            v.copied ~ ('^' || one.mailbox || '( *, *' || one.mailbox || ')*$') AS cc_plain,
            v.date ~ ('^' || p.weekday || p.day || ' ' || p.rest || '$')
                AND v.date ~ ' (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ' AS date_plain
        FROM value AS v
        CROSS JOIN pattern AS p
        CROSS JOIN LATERAL (SELECT '(?:(?:[A-Za-z0-9]+ )+<' || p.address || '>|' || p.address || ')' AS mailbox) AS one
    ),
    told AS MATERIALIZED (
        SELECT
            j.*,
            j.plain AND (j.message_ids = 0 OR (j.message_ids = 1 AND j.message_id_plain)) AS knows_message_id,
            j.plain AND (j.tos = 0 OR (j.tos = 1 AND j.to_plain)) AND length(j.addressees) IS DISTINCT FROM 0 AS knows_to,
            j.plain AND (j.ccs = 0 OR (j.ccs = 1 AND j.cc_plain)) AND length(j.copied) IS DISTINCT FROM 0 AS knows_cc,
            j.plain AND (j.dates = 0 OR (j.dates = 1 AND j.date_plain)) AS knows_date
        FROM judged AS j
    )
    SELECT
        CASE WHEN t.knows_message_id THEN t.message_id END,
        coalesce(t.knows_message_id, mail IS NULL),
        CASE WHEN t.knows_to AND t.tos = 1 THEN (
            SELECT array_agg(a.found[1] ORDER BY a.place)
            FROM regexp_matches(t.addressees, '(' || t.address || ')', 'g') WITH ORDINALITY AS a (found, place)
            WHERE a.place <= 1000
        ) END,
        coalesce(t.knows_to, mail IS NULL),
        CASE WHEN t.knows_cc AND t.ccs = 1 THEN (
            SELECT array_agg(a.found[1] ORDER BY a.place)
            FROM regexp_matches(t.copied, '(' || t.address || ')', 'g') WITH ORDINALITY AS a (found, place)
            WHERE a.place <= 1000
        ) END,
        coalesce(t.knows_cc, mail IS NULL),
        CASE WHEN t.knows_date AND t.dates = 1 THEN regexp_replace(t.date, '^[A-Z][a-z]{2}, ', '')::timestamptz END,
        coalesce(t.knows_date, mail IS NULL)
    FROM told AS t
$$


-- name: normalised
-- The spelling of a name without accidental white space: NFC, every Unicode white space to one space, trimmed; blank is null.
CREATE OR REPLACE FUNCTION pg_temp.tidy(name text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(
        btrim(
            regexp_replace(
                normalize(name, NFC),
                '[\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+',
                ' ',
                'g'
            ),
            ' '
        ),
        ''
    )
$$;

-- A name as the mapping compares it: tidy and case folded. lower() is asked of ASCII in the collation C alone, where every
-- server says the same.
CREATE OR REPLACE FUNCTION pg_temp.normalised(name text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN t.tidy ~ '^[\u0001-\u007f]*$' THEN lower(t.tidy COLLATE "C")
        ELSE (
            SELECT normalize(string_agg(coalesce(f.folded, c.letter), '' ORDER BY c.place), NFC)
            FROM regexp_split_to_table(t.tidy, '') WITH ORDINALITY AS c (letter, place)
            LEFT JOIN pg_temp.case_fold AS f ON f.letter = c.letter
        )
    END
    FROM (SELECT pg_temp.tidy(name) AS tidy) AS t
$$

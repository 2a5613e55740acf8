-- Which of these columns a live table requires.
SELECT a.attname
FROM pg_attribute AS a
WHERE
    a.attrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass
    AND a.attname = ANY (%(names)s::text[]) AND a.attnotnull AND NOT a.attisdropped

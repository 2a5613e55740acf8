-- What must be there and has no source in legacy has the default of its insert.
UPDATE pg_temp.expected AS e
SET {filled}
FROM {target} AS t
WHERE {same} AND ({missing})

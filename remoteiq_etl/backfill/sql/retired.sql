SELECT count({column}), coalesce(sum(octet_length({column}::text)), 0)::bigint FROM {table}

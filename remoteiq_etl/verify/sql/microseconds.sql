-- A finite time in microseconds since 1970, exact on every server: before PostgreSQL 14 an epoch is a floating point number.
date_part('epoch', date_trunc('second', {value}))::bigint * 1000000 + date_part('microseconds', {value})::bigint %% 1000000

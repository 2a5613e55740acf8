"""The promised versions of PostgreSQL, each with itself and the oldest with the newest: `make matrix`, never `make test`."""

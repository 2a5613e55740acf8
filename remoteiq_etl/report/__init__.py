"""The migration report: what a person reads before signing, as one HTML file and as JSON.

`model` says what is in it as plain data; `make` gathers and writes it; `accounts`, `waiting`, `values`, `tasks`, `search` and
`verification` read its parts from the state schema and the target; `page` and `chart` turn it into HTML. It only reads both
databases. Does not belong here: verifying, and how a command or Dagster shows that it was written.
"""

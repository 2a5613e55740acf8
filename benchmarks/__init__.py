"""How fast the load is, beside what else could do it: run by `make bench`, never by a test.

`python -m benchmarks` compares, on the same server and the same rows, (a) the limit: one SQL statement, (b) our whole
path, (c) dlt and (d) pandas.to_sql; `python -m benchmarks sweep` tries batch sizes. Every contestant but the first
runs in a process of its own, and says itself how long the timed part took.
"""

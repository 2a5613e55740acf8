"""What the tests share: throw-away PostgreSQL servers and helpers. No test and no fixture definition belongs here."""

"""The assets: one module per target table, in a package per domain, each a pure transform and its declaration."""

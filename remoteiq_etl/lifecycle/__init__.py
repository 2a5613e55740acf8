"""What happens around a run: drift, prepare, finalize, cut-over, undo, clean-up. Knows the tables, but no Dagster."""

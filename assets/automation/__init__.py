"""Tasks for agents, their runs and results."""

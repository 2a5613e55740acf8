"""Undo: take back what runs wrote, by a plan that is shown first and executed exactly, or not at all."""

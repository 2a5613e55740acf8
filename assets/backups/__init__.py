"""Backup destinations and policies, jobs with what they leave behind, restores."""

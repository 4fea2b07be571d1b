"""Backups made while everything runs, and restored to the same figures, histories and files."""

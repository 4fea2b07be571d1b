"""Edits of a boundary plan: what each kind needs, what it draws, done, seen ahead, taken back."""

"""Last positions of people on duty who share them: only the last one, and not for long."""

"""The situation: what a map shows of the cases somebody may see, and what of it has changed since."""

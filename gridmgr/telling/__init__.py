"""Who is told of what: steps of cases become notices, in the same transaction."""

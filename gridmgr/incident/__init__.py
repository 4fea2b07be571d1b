"""The life of an incident: seven steps, an append-only hash-chained history, and its place."""

"""The life of an incident as a table: states, steps, what each needs and changes, and the chained history."""

"""Which matters there are, and whose they are: versioned tables of categories."""

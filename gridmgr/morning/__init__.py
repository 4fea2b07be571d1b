"""A leader's morning: what got worse overnight, what is about to be late, what the scan found, who is there."""

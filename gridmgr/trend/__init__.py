"""Trends: cases over time, how long they take, how old the open ones are, where they go from state to state."""

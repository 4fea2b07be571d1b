"""Any past period played again: how cases stood at each of its instants, from their histories."""

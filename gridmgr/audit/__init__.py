"""The auditor: whether histories are whole, every clock is served, and the climbs add up."""

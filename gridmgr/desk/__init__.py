"""What lies on whose desk: the worklists of each role, and where it burns, area by area."""

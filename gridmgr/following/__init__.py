"""What is bound to units and follows them when the map is another one: told before, done on its day."""

"""From a plan of other borders to the map in force: checked, on public notice, consulted on, approved, published."""

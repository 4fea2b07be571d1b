"""One search for everything on the map: places, addresses, cases, people, coordinates."""

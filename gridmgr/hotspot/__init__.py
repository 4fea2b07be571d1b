"""Where it hurts: hot spots, how they come and go, rates, densities, and places that come back."""

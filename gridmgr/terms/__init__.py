"""Terms: numbers a district sets for a matter from a day on, with their limits; what was set before stays."""

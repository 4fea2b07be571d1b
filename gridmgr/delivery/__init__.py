"""What leaves the house: claimed, put into the words of its way, and settled by what became of it."""

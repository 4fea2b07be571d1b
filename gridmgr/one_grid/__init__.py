"""One grid (多网合一): the grid members of single lines, merged into one list of each micro-grid, lines kept."""

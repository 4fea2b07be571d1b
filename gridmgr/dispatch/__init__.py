"""Who gets an accepted case, by list, grid, roster and load; automatic dispatch, and checks on site."""

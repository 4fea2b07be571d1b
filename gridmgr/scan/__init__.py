"""The daily alarm: where more has lately happened than a place's own share and the district's tempo explain."""

"""Reports come in: their datum converted, their place found, their history opened, one or many at once."""

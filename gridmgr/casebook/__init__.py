"""The casebook (台账): which cases a list, a map, an export or a figure holds, and in what order."""

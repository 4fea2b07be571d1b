"""Street > community > micro-grid > building: codes, editions, lineage, and locating points in them."""

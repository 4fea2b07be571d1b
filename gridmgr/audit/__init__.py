"""Whether what is kept still is what was written: every history is walked, hash by hash."""

"""Photos and documents, stored by their content: what they are is decided by their bytes alone."""

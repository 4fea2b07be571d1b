"""The import desk: what people hand over, checked before anything is loaded, then all or nothing."""

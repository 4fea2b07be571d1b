"""Plans as files: taken away to be drawn on at another desk, such as QGIS, and brought back."""

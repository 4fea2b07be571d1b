"""The whistle (吹哨报到): a street calls departments to a case, or a department calls streets, and they report in."""

"""What figures count and by what: each count and each row of a table as a condition that a list can use, too."""

"""Task forces (专班): raised across modules for urgent work, with an end in sight; disbanded, they hand all over."""

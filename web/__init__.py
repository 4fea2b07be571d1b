"""HTTP, HTML and map protocols, translated into verbs and back."""

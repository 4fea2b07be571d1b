"""The digest of a week or month: its numbers, maps and sentences, of an area, a body, a module or a person."""

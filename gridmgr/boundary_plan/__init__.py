"""Plans: drafts of other borders, edit by edit, over an edition."""

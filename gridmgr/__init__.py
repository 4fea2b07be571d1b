"""The city's work: nouns, rules, verbs and queries of grid governance."""

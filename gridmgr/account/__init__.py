"""Who may do what, where: accounts, roles granted on code prefixes, sessions and tokens."""

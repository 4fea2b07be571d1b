"""Supervision orders (督办): a leader or the command centre wants something done on a case by a time of its own."""

"""The past: every case as it stood at an instant, from its history."""

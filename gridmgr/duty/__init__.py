"""Who answers when: turns of duty, leave and cover, and who sits where at an instant."""

"""Responsibility lists (责任清单): who answers for which matter where, edition by edition."""

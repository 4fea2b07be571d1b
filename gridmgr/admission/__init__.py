"""Admission (准入): a matter outside the lists is asked for, argued, decided, and then acts like an item."""

"""Figures: every count has its list, any past day is told again as it was, areas as was and as now."""

import pytest

pytestmark = pytest.mark.db

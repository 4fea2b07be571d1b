"""Stories play on the little district of the nouns' own tests, with the same staff."""

import importlib.util
import sys
from pathlib import Path

NOUNS = Path(__file__).resolve().parents[1] / "gridmgr"
sys.path.append(str(NOUNS))
_spec = importlib.util.spec_from_file_location("conftest_of_nouns", NOUNS / "conftest.py")
_shared = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_shared)

district, staff, told, desk = _shared.district, _shared.staff, _shared.told, _shared.desk
settled, ground = _shared.settled, _shared.ground
case, departments, photo = _shared.case, _shared.departments, _shared.photo

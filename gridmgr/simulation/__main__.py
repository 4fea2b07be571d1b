"""`python -m gridmgr.simulation FOLDER` writes the sample files anew."""

import sys
from pathlib import Path

from gridmgr.simulation.samples import SAMPLE_MAPS, write_samples

write_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE_MAPS)

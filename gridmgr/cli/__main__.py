"""`python -m gridmgr.cli`, the same as `gridmgr`."""

from gridmgr.cli import main

main()

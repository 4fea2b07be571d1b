#!/usr/bin/env bash
# Brings a Debian machine to where `make demo` or `make test` can run, and does nothing that is already done.
#
#   setup/install.sh demo    what the product needs
#   setup/install.sh test    that, and what its tests need
#
# An interrupted run is taken up again by the next one; two runs at once wait for each other.
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/report.sh
source setup/debian.sh
source setup/python.sh
source setup/javascript.sh

main() {
    local purpose=$1
    step 1 "Debian packages" "PostgreSQL with PostGIS, Node.js$([ "$purpose" = demo ] || echo ", Chromium, a Chinese font")"
    install_debian "$purpose"
    step 2 "Python environment" ".venv, from hash-locked requirements"
    install_python "$purpose"
    step 3 "JavaScript files" "what the pages load, served by ourselves"
    install_javascript
}

case ${1:-} in
demo | test) ;;
*) die "usage: setup/install.sh demo|test" ;;
esac

# The lock is on the folder, so nothing is left behind; children must not inherit it, daemons among them would keep it.
exec 9<setup
flock --nonblock 9 || { say "another set-up is running here; waiting for it"; flock 9; }
main "$1" 9<&-

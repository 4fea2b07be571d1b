# The virtual environment. It holds exactly what the lock says, or it is made anew.

readonly VENV=.venv
readonly UNFINISHED=$VENV/unfinished

# install_python demo|test: the lock of the tests contains the lock of the product.
install_python() {
    local lock=requirements.txt present
    [ "$1" = demo ] || lock=requirements-test.txt
    if is_usable && { is_current "$lock" || is_current requirements-test.txt; }; then
        say "nothing has changed"
        return
    fi
    is_usable || make_venv
    touch "$UNFINISHED"
    present=$(fingerprint "$lock") # before, so that what changes meanwhile is installed the next time
    run "packages of $lock" "$VENV/bin/python" -m pip install --require-hashes --requirement "$lock" ||
        die "$(pip_advice)"
    run "gridmgr itself" "$VENV/bin/python" -m pip install --no-index --no-deps --no-build-isolation --editable .
    run "compiled index code" "$VENV/bin/python" -c 'from gis.locate import warm; warm()'
    echo "$present" >"$(stamp "$lock")"
    rm "$UNFINISHED"
}

make_venv() {
    local python
    python=$(find_python) || die "no Python 3.11 or newer with venv was found"
    rm -rf "$VENV"
    mkdir "$VENV"
    touch "$UNFINISHED"
    run "virtual environment of $("$python" --version)" "$python" -m venv "$VENV"
}

# The first Python on the path that is new enough and can make environments; Debian's own is asked last.
find_python() {
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        command -v "$python"
        return
    done
    return 1
}

# Finished, made in this very folder (an environment cannot be moved), and of a Python that still exists.
is_usable() {
    [ ! -e "$UNFINISHED" ] && grep -qsF "$PWD/$VENV/bin/python" "$VENV/bin/pip" &&
        "$VENV/bin/python" -c 'import pip' 2>/dev/null
}

is_current() {
    [ -x "$VENV/bin/gridmgr" ] && [ "$(fingerprint "$1")" = "$(cat "$(stamp "$1")" 2>/dev/null)" ]
}

stamp() { echo "$VENV/installed-$1"; }

fingerprint() { cat "$1" pyproject.toml gis/cell*.py gis/exact.py gis/nearest.py | sha256sum; }

pip_advice() {
    echo "The packages could not be installed; is the network there, and the package index reachable? Run again to go on."
}

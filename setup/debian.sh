# What comes from Debian. A part that is already there, from wherever, is left alone.

readonly POSTGRES=(postgresql-15 postgresql-15-postgis-3)
readonly PANGO=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0) # what lays out the PDF of reports

install_debian() {
    local missing
    mapfile -t missing < <(missing_packages "$1")
    if [ "${#missing[@]}" -eq 0 ]; then
        say "nothing is missing"
        return
    fi
    say "missing: ${missing[*]}"
    become_root "${missing[@]}"
    apt_get check >/dev/null 2>&1 || without_main_cluster run "an interrupted installation" finish_installation
    run "package lists" apt_get update || say "the lists could not be renewed; trying with those at hand"
    if [[ " ${missing[*]} " == *" ${POSTGRES[0]} "* ]]; then
        without_main_cluster run "packages" apt_get install "${missing[@]}"
    else
        run "packages" apt_get install "${missing[@]}"
    fi
    mapfile -t missing < <(missing_packages "$1")
    [ "${#missing[@]}" -eq 0 ] || die "still missing after the installation: ${missing[*]}"
}

missing_packages() {
    [ -n "${GRIDMGR_DATABASE_URL:-}" ] || has_postgis || printf '%s\n' "${POSTGRES[@]}"
    has_venv || printf '%s\n' python3-venv
    has_node || printf '%s\n' nodejs
    has npm || printf '%s\n' npm
    has_pango || printf '%s\n' "${PANGO[@]}"
    has_noto || printf '%s\n' fonts-noto-cjk
    if [ "$1" = test ]; then
        has chromium || printf '%s\n' chromium
        has_chinese_font || printf '%s\n' fonts-wqy-microhei
    fi
}

has() { command -v "$1" >/dev/null; }

has_node() { has node && [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge 18 ]; }

has_chinese_font() {
    [ -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc ] || { has fc-list && fc-list :lang=zh | grep -q .; }
}

# The reports carry their font: the one with the rare characters of personal names.
has_noto() { [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ]; }

has_pango() {
    local package
    for package in "${PANGO[@]}"; do is_configured "$package" || return 1; done
}

has_venv() { find_python >/dev/null; }

# PostgreSQL 15 or newer with PostGIS, completely configured: a half-installed one is installed to its end.
has_postgis() {
    local bin major
    for bin in /usr/lib/postgresql/*/bin; do
        major=$(basename "$(dirname "$bin")")
        [ -x "$bin/initdb" ] && [ "$major" -ge 15 ] &&
            [ -e "/usr/share/postgresql/$major/extension/postgis.control" ] &&
            is_configured "postgresql-$major" && is_configured "postgresql-$major-postgis-3" && return
    done
    has pg_config && [ -e "$(pg_config --sharedir)/extension/postgis.control" ] && [ -x "$(pg_config --bindir)/initdb" ]
}

is_configured() { [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Sets AS_ROOT to the words that make a command run as root, or ends with the command for someone who may.
become_root() {
    AS_ROOT=()
    [ "$(id -u)" -ne 0 ] || return 0
    AS_ROOT=(sudo)
    if has sudo && { sudo --non-interactive true 2>/dev/null || { [ -t 0 ] && sudo --validate; }; }; then
        return
    fi
    die "需要管理员执行一次 / an administrator has to run once:  apt-get update && apt-get install --no-install-recommends --yes $*"
}

finish_installation() {
    "${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive dpkg --configure -a
    apt_get install --fix-broken
}

apt_get() {
    "${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive apt-get \
        -o DPkg::Lock::Timeout=300 --quiet --yes --no-install-recommends "$@"
}

# Debian's package makes and starts a server of its own unless it is told not to. It is told so for the time of
# the installation alone: a server that an administrator wants later is none of our business.
without_main_cluster() (
    local folder=/etc/postgresql-common/createcluster.d
    trap '"${AS_ROOT[@]}" rm -f "$folder/gridmgr.conf"' EXIT
    "${AS_ROOT[@]}" mkdir -p "$folder"
    echo "create_main_cluster = false" | "${AS_ROOT[@]}" tee "$folder/gridmgr.conf" >/dev/null
    "$@"
)

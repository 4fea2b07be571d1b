# The JavaScript files of the pages: fetched by npm as locked, then copied to where we serve them.

readonly VENDORED=node_modules/.vendored

install_javascript() {
    local now
    now=$(cat package.json package-lock.json web/vendor.py | sha256sum)
    if [ "$now" = "$(cat "$VENDORED" 2>/dev/null)" ] && [ -d web/static/vendor ]; then
        say "nothing has changed"
        return
    fi
    rm -f "$VENDORED"
    run "packages of package-lock.json" npm ci --ignore-scripts --no-audit --no-fund ||
        die "The JavaScript packages could not be fetched; is the network there? Run again to go on."
    run "copies for the web server" "$VENV/bin/python" -m web.vendor
    echo "$now" >"$VENDORED"
}

#!/bin/sh
# The tests start a real PostgreSQL server, a real Spark cluster, which needs Java, and a real browser: all are the
# system's own packages. Installs what is missing where it may (Debian, Ubuntu; as root), else says what to install;
# the tests that need it are then skipped, except in continuous integration, where they fail.
#
# Does nothing, and needs no network, when all are there.
set -u

say() { printf '%s\n' "$*" >&2; }

has_java() {
    version=$("${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1) || return 1
    version=${version#*\"}
    [ "${version%%[!0-9]*}" -ge 17 ] 2>/dev/null
}

has_postgresql() {
    command -v initdb >/dev/null && return 0
    for found in /usr/lib/postgresql/*/bin/initdb; do [ -x "$found" ] && return 0; done
    return 1
}

has_chromium() {
    for name in chromium chromium-browser google-chrome; do command -v "$name" >/dev/null && return 0; done
    [ -x "${CELADON_CHROMIUM:-/nonexistent}" ]
}

missing=
has_java || missing=openjdk-17-jre-headless
has_postgresql || missing="$missing postgresql"
has_chromium || missing="$missing chromium"
missing=${missing# }
if [ -z "$missing" ]; then exit 0; fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "Celadon: installing for the tests: $missing ..."
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    # newer releases have a newer Java instead
    case $missing in
    openjdk*) apt-cache show openjdk-17-jre-headless >/dev/null 2>&1 || missing="default-jre-headless ${missing#openjdk-17-jre-headless}" ;;
    esac
    # shellcheck disable=SC2086
    if apt-get install -y -qq --no-install-recommends $missing >/dev/null; then exit 0; fi
fi
say "Celadon: for the tests of a catalogue on a server, of the distributed engine and of the console in a browser, install:"
say "  Debian, Ubuntu:  apt-get install $missing"
say "  Fedora, RHEL:    dnf install java-17-openjdk-headless postgresql-server chromium"
say "  macOS:           brew install openjdk@17 postgresql@16; brew install --cask chromium"
say "Without them these tests are skipped."

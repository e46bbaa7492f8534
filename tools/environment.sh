#!/bin/sh
# Makes the virtual environment hold exactly what a lock file says, and the project itself.
#
#   tools/environment.sh runtime    what `celadon` needs
#   tools/environment.sh dev        the same, and what the tests and checks need
#
# Does nothing, and needs no network, when that is already so: the stamp inside the environment is a copy of
# everything it was made from. Two calls at once wait for each other.
#
# PYTHON=... chooses the interpreter, VENV=... the place.
set -eu

kind=${1:?usage: tools/environment.sh runtime|dev}
case $0 in */*) cd "${0%/*}/.." ;; esac
venv=${VENV:-.venv}
lock=$venv.lock

say() { printf '%s\n' "$*" >&2; }

# Prints the first interpreter that is new enough and can make environments; else says what to install.
find_python() {
    without_venv=
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    if [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "Celadon: $without_venv is Python $version, but it cannot make virtual environments. Install the missing part:"
        say "  Debian, Ubuntu:  apt-get install python3-venv   (or python$version-venv, if python3 is another version)"
    else
        say "Celadon needs Python 3.11 or newer, and found none${PYTHON:+ (PYTHON=$PYTHON)}. Install it:"
        say "  Debian 12+, Ubuntu 24.04+:  apt-get install python3 python3-venv"
        say "  Fedora, RHEL 9+:            dnf install python3.12"
        say "  macOS:                      brew install python@3.13"
        say "or name one: make PYTHON=/path/to/python3.11"
    fi
    return 1
}

# What the environment is made from. `dev` holds all of `runtime`, so its stamp answers for both.
recipe() {
    pwd
    cat pyproject.toml requirements.lock
    if [ "$1" = dev ]; then cat requirements-dev.lock; fi
}

holds() {
    [ -f "$venv/celadon-$1.stamp" ] && recipe "$1" | cmp -s - "$venv/celadon-$1.stamp" &&
        "$venv/bin/python" -c '' 2>/dev/null
}

# A half-made environment can hold a python that is really the one outside it, and would install there.
usable() {
    "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)' \
        2>/dev/null
}

is_current() { holds dev || { [ "$kind" = runtime ] && holds runtime; }; }

if is_current; then exit 0; fi

waited=0
until mkdir "$lock" 2>/dev/null; do
    holder=$(cat "$lock/pid" 2>/dev/null || true)
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
        rm -rf "$lock" # its owner was killed
    elif [ "$waited" -ge 900 ]; then
        say "Celadon: $lock has been held for 15 minutes${holder:+ by process $holder}. If nothing is installing, remove it: rm -r $lock"
        exit 1
    else
        [ "$waited" -gt 0 ] || say "Celadon: waiting for another make that is preparing $venv ..."
        sleep 1
        waited=$((waited + 1))
    fi
done
printf '%s\n' $$ >"$lock/pid"
trap 'rm -rf "$lock"' EXIT
trap 'exit 1' HUP INT TERM
if is_current; then exit 0; fi

rm -f "$venv"/celadon-*.stamp
if ! usable; then
    python=$(find_python)
    say "Celadon: making $venv with $("$python" --version) ..."
    "$python" -m venv --clear "$venv"
fi

case $kind in
dev) locked=requirements-dev.lock ;;
*) locked=requirements.lock ;;
esac
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_REQUIRE_VIRTUALENV=1
say "Celadon: installing what $locked pins ..."
"$venv/bin/python" -m pip install --quiet -r "$locked"
"$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation -e .
recipe "$kind" >"$venv/celadon-$kind.stamp"

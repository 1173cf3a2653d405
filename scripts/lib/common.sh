# SPDX-License-Identifier: GPL-2.0
# Common ground of the lab's shell scripts: where the tree and the cache are, how to speak, how to lock.
# Sourced by scripts/lib/kernel, scripts/lib/paths, scripts/deps, scripts/check and scripts/style.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cache=${L3VPN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/l3vpn}

# Messages of the lab itself go to stderr, so that stdout carries only results.
say() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

# with_lock NAME COMMAND...: run COMMAND holding the cache's lock NAME; a second run waits, then finds the work done.
with_lock() {
	local name=$1
	shift
	mkdir -p "$cache/lock"
	(
		if ! flock -n 9; then
			say "waiting for another run that makes $name"
			flock 9
		fi
		"$@"
	) 9>"$cache/lock/$name"
}

#!/usr/bin/env bash
# Brings a bare Debian or Ubuntu machine to where `npm start` works, and with --with-tests to where `npm test` and
# `npm run bench` do. As root or with sudo it installs what is missing; otherwise it lists that and ends with status 1.
# It may be run again at any time, and is quick when there is nothing to do.
#
#   DOCKER_HOST            an engine to use in place of this machine's own
#   DOCKER_CI_BASE_FROM    an image of Debian with Node to make docker-ci/base from, say from a registry of one's own
#
# An engine or a Redis that already runs is never touched.
set -euo pipefail

readonly BASE_IMAGE=docker-ci/base:latest
readonly PUBLIC_BASE=node:20-bookworm-slim
readonly ENGINE_LOG=/var/log/docker-ci-dockerd.log
readonly ENGINE_DEADLINE_S=60
readonly OLDEST_NODE=20
# Whatever a person's PATH: daemons are installed there.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Standard input may hold commands for docker-ci, and standard output belongs to it.
exec </dev/null 1>&2

cd "$(dirname "${BASH_SOURCE[0]}")"

main() {
  local with_tests=no
  case "$#,${1-}" in
    0,) ;;
    1,--with-tests) with_tests=yes ;;
    *)
      echo "usage: ./setup.sh [--with-tests]"
      exit 2
      ;;
  esac

  need_node
  look_around
  if nothing_lacks; then return; fi
  one_at_a_time
  look_around

  find_root
  if [ "$root" = no ] && ! lack_without_root; then exit 1; fi
  if only_an_older_image; then
    echo "$BASE_IMAGE is from an older recipe, and works. Run ./setup.sh as root on Debian or Ubuntu to renew it."
    return
  fi

  log=$(mktemp "${TMPDIR:-/tmp}/docker-ci-setup.XXXXXX.log")
  trap 'tidy_up' EXIT
  echo "Setting up (once):"
  if [ -n "$packages" ]; then install_packages; fi
  if [ "$modules" = lacking ]; then
    step "Installing the npm packages of package-lock.json" install_modules
  fi
  if [ "$program" = lacking ]; then step "Compiling docker-ci" compile; fi
  if [ "$engine" = absent ]; then start_engine; fi
  look_at_engine # again: whether this user may speak to it, and which certificates the machine trusts, is known only now
  if [ "$engine" = refused ]; then base=$(as_root node setup/engine.mjs look "$BASE_IMAGE" setup/base-image.sh | cut -d ' ' -f 2); fi
  if [ "$base" = missing ] || [ "$base" = outdated ]; then make_base_image; fi
  if [ "$engine" = refused ]; then
    echo "  The Docker Engine runs, and $(id -un) may not speak to it: sudo usermod -aG docker $(id -un), then log in again."
    exit 1
  fi
  rm -f "$log"
}

# --- what is there ----------------------------------------------------------------------------------------------------

need_node() {
  local version=none
  if command -v node >/dev/null && command -v npm >/dev/null; then version=$(node --version); fi
  local major=${version#v}
  major=${major%%.*}
  if [ "$version" = none ] || [ "$major" -lt "$OLDEST_NODE" ]; then
    echo "docker-ci needs Node $OLDEST_NODE or newer with npm, and finds ${version/none/none of it}. See https://nodejs.org/en/download"
    exit 1
  fi
}

# Sets packages (of the distribution, to install), modules, program, engine, base.
look_around() {
  packages=""
  need_package git git
  need_package redis-server redis-server
  [ -s /etc/ssl/certs/ca-certificates.crt ] || [ ! -e /etc/debian_version ] || packages="$packages ca-certificates"
  if [ "$with_tests" = yes ]; then
    need_package ngircd ngircd
    need_package inspircd inspircd
    need_package anope anope
    need_package irssi irssi
    need_package tmux tmux
    need_package sshd openssh-server
    need_package openssl openssl
    need_package gpg gnupg
    need_package ip iproute2
    need_package chromium chromium
  fi

  modules=there
  if ! cmp -s package-lock.json node_modules/.docker-ci-lock &&
    ! [ node_modules/.package-lock.json -nt package-lock.json ]; then modules=lacking; fi

  program=there
  if ! [ -e dist/.docker-ci-built ] || ! [ -e dist/src/main.js ] || [ -n "$(changed_since_build)" ]; then program=lacking; fi

  look_at_engine
}

# Sets engine (answers, refused, absent, unknown), base (current, outdated, missing, unknown) and recipe, with one process
# of Node for all three: it is the slowest thing of a start with nothing to do.
look_at_engine() {
  local found
  found=$(node setup/engine.mjs look "$BASE_IMAGE" setup/base-image.sh)
  read -r engine base recipe <<<"$found"
}

need_package() { command -v "$1" >/dev/null || packages="$packages $2"; }

# A folder counts as well: it is newer once a file in it was deleted.
changed_since_build() {
  find src commands jobs adapters package.json tsconfig.json tsconfig.build.json -newer dist/.docker-ci-built -print -quit
}

nothing_lacks() {
  [ -z "$packages" ] && [ "$modules" = there ] && [ "$program" = there ] && case $engine,$base in
    answers,current | unknown,*) true ;; # an engine behind ssh is looked at by docker-ci itself
    *) false ;;
  esac
}

only_an_older_image() {
  [ "$root" = no ] && [ -z "$packages" ] && [ "$modules,$program,$base" = there,there,outdated ]
}

# Two of these at once would install, compile and start the same things. The lock is on a folder that every machine has:
# a lock file would belong to whoever made it first.
one_at_a_time() {
  command -v flock >/dev/null || return 0
  exec 9</var/tmp
  if flock -n 9; then return; fi
  echo "Waiting for another setup.sh on this machine to end."
  flock -w 900 9 || {
    echo "The other setup.sh still runs after 15 minutes; giving up."
    exit 1
  }
}

# --- who may do it ----------------------------------------------------------------------------------------------------

# Sets root: `self`, `sudo` or `no`.
find_root() {
  if [ "$(id -u)" = 0 ]; then root=self; elif sudo -n true 2>/dev/null; then root=sudo; else root=no; fi
}

as_root() {
  if [ "$root" = self ]; then
    "$@"
  else
    sudo -n env PATH="$PATH" ${DOCKER_HOST+DOCKER_HOST="$DOCKER_HOST"} ${DOCKER_CERT_PATH+DOCKER_CERT_PATH="$DOCKER_CERT_PATH"} \
      ${DOCKER_TLS_VERIFY+DOCKER_TLS_VERIFY="$DOCKER_TLS_VERIFY"} "$@"
  fi
}

# With `sudo ./setup.sh` what is made in the clone still belongs to the clone's owner, who will want to change it.
as_owner() {
  local owner home
  owner=$(stat -c %U . 2>/dev/null || echo UNKNOWN)
  if [ "$(id -u)" != 0 ] || [ "$owner" = root ] || [ "$owner" = UNKNOWN ]; then
    "$@"
  else
    home=$(getent passwd "$owner" | cut -d: -f6)
    runuser -u "$owner" -- env HOME="$home" PATH="$PATH" "$@"
  fi
}

# Lists what only root can mend; status 0 when that is nothing.
lack_without_root() {
  local lines="" name
  for name in $packages; do lines="$lines  $name|$(how_to_install "$name")\n"; done
  case $engine,${DOCKER_HOST-} in
    absent,?*) lines="$lines  a Docker Engine at DOCKER_HOST=$DOCKER_HOST|start it, or unset DOCKER_HOST\n" ;;
    absent,*)
      lines="$lines  a Docker Engine that answers|$(how_to_install docker.io), and start it; or set DOCKER_HOST to one that runs\n"
      ;;
    refused,*)
      lines="$lines  the right to speak to the Docker Engine|usermod -aG docker $(id -un) as root, then log in again\n"
      ;;
  esac
  # Without an engine it cannot be known whether the image is there; with a registry it takes no root to make it.
  if [ "$base" = missing ] && ! registry_answers; then
    lines="$lines  the image $BASE_IMAGE|run ./setup.sh as root on Debian or Ubuntu; or where a registry answers; or set DOCKER_CI_BASE_FROM\n"
  fi
  if [ -z "$lines" ]; then return 0; fi
  echo "docker-ci needs what only root can put on this machine, and this is not root, nor is there sudo without a password."
  echo "Missing, and how to get it:"
  printf '%b' "$lines" | while IFS='|' read -r what how; do printf '%-42s %s\n' "$what" "$how"; done
  if command -v apt-get >/dev/null; then echo "Or run it all: sudo ./setup.sh$([ "$with_tests" = no ] || echo ' --with-tests')"; fi
  return 1
}

how_to_install() {
  if command -v apt-get >/dev/null; then
    if [ "$1" = docker.io ]; then echo "apt-get install docker.io iptables"; else echo "apt-get install $1"; fi
  elif command -v brew >/dev/null || [ "$(uname -s)" = Darwin ]; then
    case $1 in
      docker.io) echo "Docker Desktop or colima (brew install colima)" ;;
      redis-server) echo "brew install redis" ;;
      *) echo "brew install $1" ;;
    esac
  else
    case $1 in
      docker.io) echo "https://docs.docker.com/engine/install/" ;;
      *) echo "your system's package manager" ;;
    esac
  fi
}

# --- doing it ---------------------------------------------------------------------------------------------------------

# step <sentence> <command…>: says what is done, then for how long, and shows the end of the log when it fails.
step() {
  local sentence=$1 start=$SECONDS status ticker="" took begin
  shift
  echo "--- $sentence" >>"$log"
  begin=$(($(wc -l <"$log") + 1))
  printf '  %s …' "$sentence"
  if [ -t 2 ]; then
    # A job in the background does not hear Ctrl-C: it ends with the script.
    while sleep 1 && kill -0 $$ 2>/dev/null; do printf '\r  %s … %d s' "$sentence" $((SECONDS - start)); done 9<&- &
    ticker=$!
  fi
  # Not `if ! (…)`: there, a failing command inside would not end it.
  set +e
  (
    set -e
    "$@"
  ) >>"$log" 2>&1 9<&-
  status=$?
  set -e
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    printf '\r  %s …' "$sentence"
  fi
  took=$((SECONDS - start))
  if [ "$status" = 0 ]; then
    printf ' %s✔\n' "$([ "$took" -lt 2 ] || echo "$took s ")"
    return
  fi
  printf ' ✘ failed with status %d after %d s. From %s:\n' "$status" "$took" "$log"
  tail -n "+$begin" "$log" | shorten | sed 's/^/    /'
  exit 1
}

# The reason may stand at either end: npm says it first and explains itself at length, apt-get says it last.
shorten() { awk '{ line[NR] = $0 } END { for (n = 1; n <= NR; n++) { if (NR > 30 && n == 11) { print "…"; n = NR - 14 } print line[n] } }'; }

apt_get() {
  # Another apt-get (unattended upgrades, say) may hold the lock for a while.
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 "$@"
}

apt_install() {
  need_apt "$@"
  # A third-party source that is away must not stop what Debian's own can give: the install decides.
  apt_get update || true
  apt_get install --no-install-recommends "$@"
}

need_apt() {
  if command -v apt-get >/dev/null; then return; fi
  echo "This is neither Debian nor Ubuntu (no apt-get). Install by hand: $*"
  exit 1
}

# docker-ci runs a redis-server of its own and the tests run their own IRC servers: only the programs are wanted. So the
# packages' services are neither started nor enabled, and cannot take a port from anybody.
install_packages() {
  local policy=/usr/sbin/policy-rc.d
  # shellcheck disable=SC2086 # a list of words
  set -- $packages
  if [ -d /etc/apt ] && ! [ -e "$policy" ]; then
    # shellcheck disable=SC2016 # $1 is the policy's own
    printf '#!/bin/sh\ncase "${1%%.service}" in redis-server|ngircd|inspircd|anope|ssh|sshd) exit 101 ;; esac\nexit 0\n' |
      as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    our_policy=$policy
  fi
  step "Installing $* with apt-get" apt_install "$@"
  if [ -n "$our_policy" ]; then as_root rm -f "$our_policy"; our_policy=""; fi
  if [ -d /run/systemd/system ]; then
    for name in "$@"; do
      case $name in
        redis-server | ngircd | inspircd | anope) as_root systemctl disable "$name" >>"$log" 2>&1 || true ;;
        openssh-server) as_root systemctl disable ssh >>"$log" 2>&1 || true ;;
      esac
    done
  fi
}

# No install scripts: the packages here that have any work without them.
install_modules() {
  local settings=(--include=dev --ignore-scripts --no-audit --no-fund --no-update-notifier) said
  said=$(mktemp)
  if ! as_owner npm ci "${settings[@]}" 2>&1 | tee "$said"; then
    # `npm ci` refuses a lock file that lacks packages for other platforms, which a registry did not have when the file
    # was written; `npm install` takes the same versions from it and lets those be.
    if ! grep -q EUSAGE "$said"; then exit 1; fi
    as_owner npm install --no-save "${settings[@]}"
  fi
  rm -f "$said"
  as_owner cp package-lock.json node_modules/.docker-ci-lock
}

compile() {
  # The stamp is as old as the start: what is saved while the compiler runs is compiled the next time.
  as_owner mkdir -p dist
  as_owner touch dist/.docker-ci-building
  as_owner npm run --silent build
  [ -e dist/src/main.js ] || { echo "the compiler wrote no dist/src/main.js" && exit 1; }
  as_owner mv dist/.docker-ci-building dist/.docker-ci-built
}

start_engine() {
  if [ -n "${DOCKER_HOST-}" ]; then
    echo "  DOCKER_HOST is $DOCKER_HOST, and no Docker Engine answers there. Start it, or unset DOCKER_HOST to use this machine's own."
    exit 1
  fi
  local wanted
  wanted=$(engine_packages)
  # shellcheck disable=SC2086 # a list of words
  if [ -n "$wanted" ]; then step "Installing a Docker Engine (${wanted// /, }) with apt-get" apt_install $wanted; fi
  step "Starting the Docker Engine" bring_up_engine
}

engine_packages() {
  local wanted=()
  command -v dockerd >/dev/null || wanted+=(docker.io)
  command -v iptables >/dev/null || wanted+=(iptables)
  # Where the kernel has AppArmor switched on, no container starts without its tools.
  if grep -qs Y /sys/module/apparmor/parameters/enabled; then command -v apparmor_parser >/dev/null || wanted+=(apparmor); fi
  # Without systemd nobody may have mounted the control groups.
  if ! [ -d /run/systemd/system ] && ! grep -q ' /sys/fs/cgroup' /proc/mounts; then wanted+=(cgroupfs-mount); fi
  echo "${wanted[*]-}"
}

bring_up_engine() {
  if engine_process && engine_answers "$ENGINE_DEADLINE_S"; then return; fi # somebody, or the package, started it
  if [ -d /run/systemd/system ]; then
    as_root systemctl enable --now docker || true
  elif [ -x /etc/init.d/docker ] && command -v service >/dev/null; then
    # The service cannot raise its limits in a container, for one; dockerd runs without that as well.
    as_root service docker start || true
    if engine_process && engine_answers "$ENGINE_DEADLINE_S"; then return; fi
  fi
  if ! [ -d /run/systemd/system ] && ! engine_process; then
    echo "starting dockerd itself; its log is $ENGINE_LOG"
    as_root sh -c "setsid nohup dockerd >>$ENGINE_LOG 2>&1 </dev/null &"
  fi
  if engine_answers "$ENGINE_DEADLINE_S"; then return; fi
  echo "no engine answers after $ENGINE_DEADLINE_S s; the end of its log:"
  if [ -d /run/systemd/system ]; then as_root journalctl -u docker -n 15 --no-pager; else as_root tail -n 15 "$ENGINE_LOG" /var/log/docker.log; fi
  exit 1
}

engine_answers() {
  local until=$((SECONDS + $1)) state
  while :; do
    state=$(as_root node setup/engine.mjs look "$BASE_IMAGE" setup/base-image.sh | cut -d ' ' -f 1)
    if [ "$state" = answers ]; then return 0; fi
    if [ "$SECONDS" -ge "$until" ]; then return 1; fi
    sleep 0.3
  done
}

engine_process() {
  local pid
  pid=$(cat /var/run/docker.pid 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]
}

registry_answers() { [ -n "${DOCKER_CI_BASE_FROM-}" ] || node setup/engine.mjs registry >/dev/null 2>&1; }

make_base_image() {
  local doing="Making the base image"
  if [ "$base" = outdated ]; then doing="Renewing the base image"; fi
  if registry_answers; then
    step "$doing from ${DOCKER_CI_BASE_FROM:-$PUBLIC_BASE}" base_image_from_registry
  else
    step "$doing from Debian's packages, as no registry answers" base_image_from_packages
  fi
}

base_image_from_registry() {
  # As oneself where one may: an engine of the user's own (rootless) may not answer to root.
  local as=(timeout 240)
  if [ "$engine" = refused ]; then as=(as_root timeout 240); fi
  if "${as[@]}" setup/base-image.sh pulled "$recipe" "${DOCKER_CI_BASE_FROM:-$PUBLIC_BASE}"; then return; fi
  # A registry may answer and still refuse (too many pulls), or stall. An image that was asked for is not replaced.
  if [ -n "${DOCKER_CI_BASE_FROM-}" ] || [ "$root" = no ] || ! command -v apt-get >/dev/null; then exit 1; fi
  echo "making it from Debian's packages in its place"
  base_image_from_packages
}

base_image_from_packages() {
  if ! command -v debootstrap >/dev/null || ! [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
    apt_install debootstrap debian-archive-keyring
  fi
  as_root setup/base-image.sh local "$recipe"
}

tidy_up() {
  if [ -n "$our_policy" ]; then as_root rm -f "$our_policy"; fi
}

our_policy=""
main "$@"

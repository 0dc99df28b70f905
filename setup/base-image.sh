#!/usr/bin/env bash
# Makes the image docker-ci/base: Debian 12 with Node, npm, git, ca-certificates and openssh-client.
#
#   base-image.sh pulled <recipe> <image>   adds what is missing to <image>, which the engine pulls
#   base-image.sh local <recipe>            out of Debian's packages and this machine's Node; as root, on Debian or Ubuntu
#
# <recipe> becomes the label docker-ci.base. setup.sh calculates it from this file: a change here makes a new image.
set -euo pipefail

readonly IMAGE=docker-ci/base:latest
# Its name until it has proved that it works.
readonly UNTRIED=docker-ci/base:untried
# One release for everybody: the examples are packages of it, and their figures are known.
readonly SUITE=bookworm
readonly PACKAGES="ca-certificates git openssh-client"
# Read by Node and npm, and by Python's requests and pip, which bring certificates of their own.
readonly BUNDLE=/etc/ssl/certs/ca-certificates.crt
readonly TRUST=(NODE_EXTRA_CA_CERTS="$BUNDLE" REQUESTS_CA_BUNDLE="$BUNDLE" PIP_CERT="$BUNDLE")

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/docker-ci-base.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

engine() { node "$here/engine.mjs" "$@"; }

pulled() {
  local recipe=$1 from=$2
  echo "pulling $from"
  engine pull "$from"
  mkdir -p "$work/overlay/usr/local/share/ca-certificates"
  engine certificates "$work/overlay/usr/local/share/ca-certificates"
  {
    echo "FROM $from"
    echo "COPY overlay/ /"
    # The bundle is made twice: apt may need it to fetch the package that makes it.
    echo "RUN cat /usr/local/share/ca-certificates/*.crt >> $BUNDLE 2>/dev/null || true"
    echo "RUN apt-get update && apt-get install -y --no-install-recommends $PACKAGES" \
      "&& update-ca-certificates && rm -rf /var/lib/apt/lists/*"
    if has_own_certificates "$work/overlay"; then echo "ENV ${TRUST[*]}"; fi
    echo 'CMD ["bash"]'
  } >"$work/Dockerfile"
  cat "$work/Dockerfile"
  tar -C "$work" -c Dockerfile overlay | engine build "$UNTRIED" "$recipe"
}

local_packages() {
  local recipe=$1 root=$work/root environment=()
  echo "debootstrap $SUITE from $(mirror Debian)"
  debootstrap --variant=minbase --include="${PACKAGES// /,}" "$SUITE" "$root" "$(mirror Debian)"
  set_up_apt "$root"
  engine certificates "$root/usr/local/share/ca-certificates"
  chroot "$root" update-ca-certificates
  if has_own_certificates "$root"; then environment=("${TRUST[@]}"); fi
  put_node "$root"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb \
    "$root"/var/log/*.log "$root"/var/log/apt "$root"/var/cache/debconf/*-old "$root"/var/cache/ldconfig/aux-cache
  # The machine's own name and resolver are of no use in a container, which gets others.
  rm -f "$root/etc/hostname" "$root/etc/resolv.conf"
  tar -C "$root" --numeric-owner -c . | engine import "$UNTRIED" "$recipe" ${environment[@]+"${environment[@]}"}
}

has_own_certificates() { compgen -G "$1/usr/local/share/ca-certificates/docker-ci-*.crt" >/dev/null; }

# The mirror this machine uses for Debian or Debian-Security, else the public one.
mirror() {
  local label=$1 found
  # shellcheck disable=SC2016 # apt fills in $(REPO_URI)
  found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Label: $label" 2>/dev/null |
    grep -m 1 -E '^https?://' || true)
  case $label in
    Debian) echo "${found:-http://deb.debian.org/debian}" ;;
    *) echo "${found:-http://deb.debian.org/debian-security}" ;;
  esac
}

# Sources as Debian's own images have them, what this machine tells apt about proxies and dates, and no slow syncing of
# files that are thrown away with their container.
set_up_apt() {
  local root=$1 name value
  rm -f "$root/etc/apt/sources.list"
  cat >"$root/etc/apt/sources.list.d/debian.sources" <<SOURCES
Types: deb
URIs: $(mirror Debian)
Suites: $SUITE $SUITE-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: $(mirror Debian-Security)
Suites: $SUITE-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
  {
    echo 'Acquire::Languages "none";'
    echo 'APT::Keep-Downloaded-Packages "false";'
    for name in Acquire::Check-Valid-Until Acquire::Check-Date Acquire::http::Proxy Acquire::https::Proxy; do
      value=$(apt-config dump --format '%v' "$name" 2>/dev/null || true)
      # A proxy on this machine's loopback cannot be reached from a container.
      case $value in '' | *localhost* | *127.0.0.1*) continue ;; esac
      echo "$name \"$value\";"
    done
  } >"$root/etc/apt/apt.conf.d/90docker-ci"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/docker-ci"
  # Nothing in a container is to start a service because its package was installed.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
}

# This machine's own Node and npm where they run in the image: tests then meet the Node that docker-ci meets. A Node that
# is linked to libraries of another release does not; then Node 20 and npm 10 come from npm's registry, because the
# Node 18 of Debian 12 cannot write coverage as lcov.
put_node() {
  local root=$1 lib=$1/usr/local/lib/node_modules npm_folder
  mkdir -p "$lib"
  npm_folder=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  cp "$(node -p process.execPath)" "$root/usr/local/bin/node"
  cp -rL "$npm_folder" "$lib/npm"
  link_npm "$root"
  if runs node && runs npm; then return; fi

  echo "this machine's Node does not run in $SUITE: fetching one that does"
  rm -rf "$root/usr/local/bin/node" "$lib/npm"
  (cd "$work" && npm pack --silent "node-linux-$(node -p process.arch)@20" npm@10)
  mkdir -p "$work/node" "$lib/npm"
  tar -C "$work/node" --strip-components=1 -xf "$work"/node-linux-*.tgz
  tar -C "$lib/npm" --strip-components=1 -xf "$work"/npm-*.tgz
  install -m 755 "$work/node/bin/node" "$root/usr/local/bin/node"
  link_npm "$root"
  runs node
  runs npm
}

# Without what this machine's environment says about Node: certificates at paths that the image lacks.
runs() { chroot "$work/root" env -i PATH=/usr/local/bin:/usr/bin:/bin "$1" --version; }

link_npm() {
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"
}

case ${1-} in
  pulled) pulled "$2" "$3" ;;
  local) local_packages "$2" ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

echo "trying the image"
engine run "$UNTRIED" 'node --version; npm --version; git --version; ssh -V; test -s /etc/ssl/certs/ca-certificates.crt'
engine rename "$UNTRIED" "$IMAGE"

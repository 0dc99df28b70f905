#!/bin/sh
# Builds the Registry from Debian's source, as one file that needs no library of the machine it runs on: dist/registry.
set -eu

registry=$PWD/dist/registry
version=$(dpkg-parsechangelog --file /src/docker-registry/debian/changelog --show-field Version)
. ./gopath.sh

CGO_ENABLED=0 go build -o "$registry" \
  -ldflags "-s -w -X github.com/docker/distribution/version.Version=$version" ./cmd/registry

"$registry" --version

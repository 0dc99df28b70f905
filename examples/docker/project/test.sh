#!/bin/sh
# Runs the unit tests of the Engine's pkg/ tree, with a report and a cover profile in /data.
set -eu

# The package holds four source trees, which import each other as github.com/docker/…; the other libraries come from
# Debian's golang-*-dev packages in /usr/share/gocode. The first entry of GOPATH wins. No module is downloaded.
GOPATH=/src/gopath:/usr/share/gocode
export GOPATH GO111MODULE=off
tree=/src/gopath/src/github.com/docker
mkdir -p "$tree"
ln -sfn /src/docker.io/engine "$tree/docker"
for name in cli libnetwork swarmkit; do
  ln -sfn "/src/docker.io/$name" "$tree/$name"
done
cd "$tree/docker"

# One line a package in the log; the output of a failing test in full.
gotestsum --format pkgname --hide-summary=skipped --junitfile /data/tests.xml -- \
  -short -timeout 15m -coverprofile /data/coverage.out ./pkg/...

go tool cover -func /data/coverage.out | tail -n 1

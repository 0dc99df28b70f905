#!/bin/sh
# Runs the Registry's unit tests the way Debian's package does (debian/rules), with a report and a cover profile in /data.
set -eu

. ./gopath.sh

# Debian leaves these out: what they import is not packaged, or they are tools without tests.
packages=$(go list ./... | grep -v \
  -e '/registry/storage/driver/azure$' \
  -e '/cmd/digest$' \
  -e '/cmd/registry-api-descriptor-template$' \
  -e '/contrib/token-server')

# One line a package in the log; the output of a failing test in full.
# shellcheck disable=SC2086 # a list of words
gotestsum --format pkgname --hide-summary=skipped --junitfile /data/tests.xml -- \
  -short -timeout 15m -coverprofile /data/coverage.out $packages

go tool cover -func /data/coverage.out | tail -n 1

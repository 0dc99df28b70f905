#!/usr/bin/env bash
# What `!build hello` does, as a person would do it from a shell: fetch, docker build, docker run, and the reports of its tests
# and coverage copied out. The container has the limits and the hardening that docker-ci's have by default. Prints the seconds
# since 1970 at the beginning and after each part; the container is removed after the last, as docker-ci does it.
#
#   hello.sh <repository> <kept bare repository> <image>
set -euo pipefail
repository=$1 kept=$2 image=$3

echo "$EPOCHREALTIME"
[[ -d $kept ]] || git init -q --bare "$kept"
git -C "$kept" fetch -q --depth 1 "$repository" main
echo "$EPOCHREALTIME"

# The classic builder: the only one that a docker without buildx has.
git -C "$kept" archive FETCH_HEAD | DOCKER_BUILDKIT=0 docker build -q -t "$image" - >/dev/null 2>&1
echo "$EPOCHREALTIME"

caps=(CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID NET_BIND_SERVICE)
container=docker-ci-bench-$$
trap 'docker rm -f "$container" >/dev/null' EXIT
docker run --name "$container" --init --memory 4g --memory-swap 4g --cpus 2 --pids-limit 4096 \
  --cap-drop ALL "${caps[@]/#/--cap-add=}" --security-opt no-new-privileges \
  --log-driver local --log-opt max-size=268435456 --log-opt max-file=5 --log-opt compress=false \
  --env CI=true --network bridge --entrypoint /bin/sh "$image" -e -c "npm test" >/dev/null
echo "$EPOCHREALTIME"

reports=$(mktemp -d)
docker cp -q "$container:/workspace/reports/junit.xml" "$reports" &
docker cp -q "$container:/workspace/coverage/lcov.info" "$reports" &
wait
[[ -s $reports/junit.xml && -s $reports/lcov.info ]]
echo "$EPOCHREALTIME"
rm -r "$reports"

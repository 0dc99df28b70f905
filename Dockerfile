# docker-ci itself: bot, page and worker in one container, as the README's chapter on production runs it.
#
#   docker build -t docker-ci/docker-ci .
#   docker build -t docker-ci/docker-ci --build-arg BASE=docker-ci/base .    where no registry can be reached
#
# It drives the engine whose socket is mounted at /var/socket/docker.sock, keeps everything in /data, reads
# /data/docker-ci.yml if that is there, and runs as 1000:1000; `--group-add` gives it the socket's group.
# Any Debian with Node 20 or newer and npm will do as base. A second one on the same /data stands by, and takes over when a
# gateway sends its requests there, or when the first is gone: DOCKER_CI_STANDBY.
ARG BASE=node:24-bookworm-slim

FROM $BASE AS packages
WORKDIR /docker-ci
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \) -delete

FROM $BASE AS compiled
WORKDIR /docker-ci
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY commands commands
COPY jobs jobs
COPY adapters adapters
COPY dcr dcr
RUN npm run build && find dist -name '*.map' -delete

FROM $BASE
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="docker-ci" \
      org.opencontainers.image.description="Continuous integration that lives in a team's chat" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# git makes the example projects, gnupg reads a keyring, redis-server is the database where none is configured.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git gnupg redis-server redis-tools tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/*.log /var/log/apt /var/log/redis /etc/redis \
 && install -d /var/socket && install -d -o 1000 -g 1000 /data \
 && (getent passwd 1000 > /dev/null || useradd --uid 1000 --home-dir /data --no-create-home --shell /bin/sh docker-ci)
WORKDIR /docker-ci
COPY package.json LICENSE ./
COPY testbuilder testbuilder
COPY examples examples
COPY --from=packages /docker-ci/node_modules node_modules
COPY --from=compiled /docker-ci/dist dist
RUN chmod 755 dist/src/main.js dist/dcr/main.js \
 && ln -s /docker-ci/dist/src/main.js /usr/local/bin/docker-ci \
 && ln -s /docker-ci/dist/dcr/main.js /usr/local/bin/dcr
ENV NODE_ENV=production HOME=/data DOCKER_CI_DATA=/data DOCKER_CI_LISTEN=8000 DOCKER_HOST=unix:///var/socket/docker.sock \
    DOCKER_CI_STANDBY=1
USER 1000:1000
VOLUME /data
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=10s --start-period=60s CMD ["docker-ci", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "docker-ci"]
CMD ["start"]

/** Every key of the configuration, as its documentation has them. */

export const FULL_CONFIG = `url: https://ci.example.org        # where people reach the web page; used in links. Default http://localhost:<port>
listen: 8000                       # every address; default "127.0.0.1:8000"; env PORT
data: ./data
redis: redis://buildworker:$BUILDBOT_PWD@10.0.0.5:6379/0   # omit for the embedded one; env REDIS_URL
engine: unix:///var/run/docker.sock                        # default: DOCKER_HOST, else the socket
concurrency: 2                     # builds at a time on this worker
worker_name: big-1
labels: [big]
worker_token: $WORKER_TOKEN
store: { bucket: ci-files }
prefix: "!"
timezone: Etc/UTC
web: { user: $WEB_USER, password: $WEB_IRC_PWD, private: false }   # without them the page only shows

irc:
  - name: libera
    host: irc.libera.chat
    port: 6697
    tls: true                      # or { ca: file, reject_unauthorized: false }
    nick: docker-ci
    account: docker-ci             # SASL PLAIN, with password
    password: $WEB_IRC_PWD
    channels: ["$IRC_CHANNEL", "#docker-dev"]
slack:
  - name: work
    bot_token: $SLACK_BOT_TOKEN
    app_token: $SLACK_APP_TOKEN    # Socket Mode: no public address needed
    api_url: https://slack.com/api/  # or another server that speaks the same API
    channels: [C0123456789]
console: true                      # the terminal, when there is one

people:
  ada: { irc: [libera/ada], slack: [work/U0ADA], email: ada@example.org, roles: [developer, approver] }
default_roles: []                  # what anyone in a configured room may do besides asking: [developer] suits a private
                                   # server; also per network under irc: and slack:. The terminal is an admin
notify: { rooms: ["libera/#docker-dev", "work/C0123456789"], on: [broken, fixed, errored] }
mail: { host: smtp.mailgun.org, port: 587, user: $SMTP_USER, password: $SMTP_PWD, from: ci@example.org, to: [$EMAIL_RCP] }
github: { token: $GITHUB_TOKEN, webhook_secret: $GITHUB_WEBHOOK_SECRET, api_url: https://api.github.com }

projects:
  docker-registry:
    repo: https://github.com/distribution/distribution     # or a path, ssh, git://
    forge: github:distribution/distribution                # for webhooks and statuses; default: from the repo's address
    branch: main
    poll: 60s                      # look for new commits; off where a webhook tells
    nightly: "0 7 * * *"
    pull_requests: ask             # outsiders' wait for !ok-to-test; or: run, never
    env: { CGO_ENABLED: "0" }
    secrets: { NPM_TOKEN: $NPM_TOKEN }                     # never given to pull requests; masked in logs and chat
    privileged: false
    network: internet              # or none
    limits: { memory: 4g, cpus: 2, pids: 4096, time: 30m, idle: 20m, disk: 10g, log: 1g, keep: 4h }
releases:
  docker-registry: { bucket: test.example.org, endpoint: "https://s3.example.org", access_key: $AWS_ACCESS_KEY, secret_key: $AWS_SECRET_KEY,
                     gpg_key: release.asc, passphrase: $GPG_PASSPHRASE, approvals: 2, expires: 24h, nightly: true }
backup: { at: "0 7 * * *", keep: 14, bucket: $BACKUP_BUCKET, access_key: $BACKUP_AWS_ID, secret_key: $BACKUP_AWS_SECRET }
report: { at: "0 8 * * *" }
retention: { builds: 10000, logs: 90d, artifacts: 30d, images: 7d }
`;

export const FULL_ENVIRONMENT: Record<string, string> = {
  AWS_ACCESS_KEY: "hunter2",
  AWS_SECRET_KEY: "hunter2",
  BACKUP_AWS_ID: "hunter2",
  BACKUP_AWS_SECRET: "hunter2",
  BACKUP_BUCKET: "backup-ci",
  BUILDBOT_PWD: "hunter2",
  WORKER_TOKEN: "0123456789abcdef",
  EMAIL_RCP: "team@example.org",
  GITHUB_TOKEN: "hunter2",
  GITHUB_WEBHOOK_SECRET: "hunter2",
  GPG_PASSPHRASE: "hunter2",
  IRC_CHANNEL: "docker-testing",
  NPM_TOKEN: "hunter2",
  SLACK_APP_TOKEN: "hunter2",
  SLACK_BOT_TOKEN: "hunter2",
  SMTP_PWD: "hunter2",
  SMTP_USER: "ada",
  WEB_IRC_PWD: "hunter2",
  WEB_TOKEN: "hunter2hunter2hunter2",
  WEB_USER: "ada",
};

/** A real InspIRCd with Anope's services behind it: accounts, SASL, and IRCv3 as far as a test wants it. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectPerson } from "./irc-client.ts";
import { freePort, runServer, type Server } from "./irc-server.ts";
import { waitFor } from "./wait-for.ts";

export interface InspircdOptions {
  /** Accounts to be registered with NickServ: name and password. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** Modules of IRCv3 to leave out: `ircv3_accounttag`, `ircv3_echomessage`. */
  readonly without?: readonly string[];
  /** Further modules, and lines of configuration. */
  readonly modules?: readonly string[];
  readonly config?: string;
}

export interface Inspircd extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** kill -9 of the server and its services; resolves when both are gone. */
  kill(): Promise<void>;
}

const MODULES = [
  "cap",
  "services_account",
  "sasl",
  "ircv3",
  "ircv3_accounttag",
  "ircv3_batch",
  "ircv3_ctctags",
  "ircv3_echomessage",
  "ircv3_labeledresponse",
  "ircv3_msgid",
  "ircv3_servertime",
  "spanningtree",
  "hidechans",
];

/** Starts both, waits until the services have linked, and registers the accounts. Takes about a second and a half. */
export async function startInspircd(options: InspircdOptions = {}): Promise<Inspircd> {
  const folder = await mkdtemp(join(tmpdir(), "inspircd-"));
  await chmod(folder, 0o777);
  const [port, linkPort] = [await freePort(), await freePort()];
  await writeFile(join(folder, "motd"), "welcome\n");
  await writeFile(join(folder, "inspircd.conf"), serverConfig(folder, port, linkPort, options));
  await writeFile(join(folder, "services.conf"), servicesConfig(folder, linkPort));
  const server = await runServer(
    "inspircd",
    ["--nofork", "--nopid", "--runasroot", `--config=${join(folder, "inspircd.conf")}`],
    port,
  );
  let services: Server | undefined;
  const kill = async (): Promise<void> => {
    await services?.kill();
    await server.kill();
  };
  const stop = async (): Promise<void> => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const folders = ["confdir", "dbdir", "logdir"].map((name) => `--${name}=${folder}`);
    services = await runServer(
      "anope",
      [
        "--nofork",
        "--config=services.conf",
        ...folders,
        "--modulesdir=/usr/lib/anope",
        "--localedir=/usr/share/anope/locale",
      ],
      linkPort,
      // As root it would stop for three seconds to say that it should not be.
      process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {},
    );
    await register({ host: "127.0.0.1", port }, options.accounts ?? {});
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: "127.0.0.1",
    port,
    kill,
    [Symbol.asyncDispose]: stop,
  };
}

async function register(server: { host: string; port: number }, accounts: Readonly<Record<string, string>>) {
  await using person = await connectPerson(server, "registrar");
  await waitFor("NickServ", async () => {
    person.send("ISON NickServ");
    return / :NickServ/.test(await person.hear(/ 303 /));
  });
  for (const [name, password] of Object.entries(accounts)) {
    await using owner = await connectPerson(server, name);
    owner.say("NickServ", `REGISTER ${password} ${name}@example.org`);
    await owner.hear(/NickServ.* NOTICE .*registered/i);
  }
}

function serverConfig(folder: string, port: number, linkPort: number, options: InspircdOptions): string {
  const modules = [...MODULES, ...(options.modules ?? [])].filter((name) => !options.without?.includes(name));
  return `<server name="irc.test.example" description="test" network="Test" id="001">
<admin name="test" nick="test" email="test@example.org">
<bind address="127.0.0.1" port="${port}" type="clients">
<bind address="127.0.0.1" port="${linkPort}" type="servers">
<connect allow="*" timeout="60" pingfreq="120" hardsendq="1M" softsendq="8192" recvq="8192" resolvehostnames="no"
 localmax="500" globalmax="500" threshold="100" commandrate="100000">
<class name="all" commands="*" privs="*"><type name="admin" classes="all"><oper name="root" password="root" host="*@*" type="admin">
<files motd="${folder}/motd"><options prefixquit="Quit: "><log method="file" type="*" level="default" target="${folder}/log">
<uline server="services.test.example" silent="yes"><sasl target="services.test.example" requiressl="no">
<link name="services.test.example" ipaddr="127.0.0.1" port="${linkPort}" allowmask="127.0.0.0/8" sendpass="link" recvpass="link">
${modules.map((name) => `<module name="${name}">`).join("\n")}
${options.config ?? ""}
`;
}

function servicesConfig(folder: string, linkPort: number): string {
  const uplink = { host: "127.0.0.1", ipv6: false, ssl: false, port: linkPort, password: "link" };
  const nickserv = { client: "NickServ", forceemail: false, defaults: "ns_secure", regdelay: "0s", expire: 0 };
  const limits = { nicklen: 31, userlen: 10, hostlen: 64, chanlen: 32, modelistsize: 100 };
  const vhosts = {
    vhost_chars: "abcdefghijklmnopqrstuvwxyz.-",
    allow_undotted_vhosts: false,
    disallow_start_or_end: ".-",
  };
  const times = { badpasstimeout: "1h", updatetimeout: "5m", expiretimeout: "30m", readtimeout: "1s" };
  const intervals = { warningtimeout: "4h", timeoutcheck: "1s", retrywait: "1s" };
  const names = ["register", "identify", "logout", "group"];
  return [
    block("uplink", uplink),
    block("serverinfo", {
      name: "services.test.example",
      description: "services",
      pid: join(folder, "pid"),
      motd: "motd",
    }),
    block("module", { name: "inspircd3" }),
    block("networkinfo", { networkname: "Test", ...limits, ...vhosts }),
    block("options", { casemap: "rfc1459", strictpasswords: false, badpasslimit: 0, ...times, ...intervals, seed: 7 }),
    block("log", { target: "services.log", logage: 1, admin: "*", users: "*", other: "*" }),
    block("mail", { usemail: false, sendmailpath: "true", sendfrom: "services@example.org" }),
    block("service", { nick: "NickServ", user: "services", host: "services.test.example", gecos: "nicknames" }),
    block("module", { name: "nickserv", ...nickserv, secureadmins: true, killquick: "20s", kill: "60s" }),
    block("module", { name: "ns_register", registration: "none", nickregdelay: "0s", unconfirmedexpire: "1d" }),
    ...["enc_sha256", "ns_identify", "ns_logout", "ns_group", "m_sasl"].map((name) => block("module", { name })),
    ...names.map((name) =>
      block("command", { service: "NickServ", name: name.toUpperCase(), command: `nickserv/${name}` }),
    ),
  ].join("");
}

/** One block of Anope's configuration, which wants every value on a line of its own. */
function block(name: string, values: Readonly<Record<string, string | number | boolean>>): string {
  const lines = Object.entries(values).map(([key, value]) => {
    const word = typeof value === "boolean" ? (value ? "yes" : "no") : value;
    return `  ${key} = ${typeof word === "string" && typeof value !== "boolean" ? `"${word}"` : word}\n`;
  });
  return `${name}\n{\n${lines.join("")}}\n`;
}

/**
 * `/audit`: who did what. It names people's accounts and addresses, so where anybody can log in, only who has sees it; where nobody
 * can, as on a laptop, it is there without accounts and rooms.
 */
import { Hono } from "hono";
import type { Entry } from "../audit/entry.ts";
import type { Frame, WebDeps } from "./deps.ts";
import { visitorOf } from "./login/visitor.ts";
import { Pager, placeOf } from "./pager.tsx";
import { MessagePage, Page, Time } from "./shell.tsx";

const PAGE = 200;

export function auditRoutes({ config, audit }: WebDeps, frame: Frame): Hono {
  const { user, trustedProxy } = config.web;
  const canLogIn = user !== undefined || trustedProxy?.header !== undefined;
  const app = new Hono();

  app.get("/audit", async (c) => {
    const bar = await frame.bar(c);
    const isKnown = visitorOf(c) !== undefined;
    if (canLogIn && !isKnown) {
      return c.html(
        <MessagePage title="Audit" bar={bar}>
          It names people's accounts, so only who is logged in sees it. {user === undefined ? "" : <LogIn />}
        </MessagePage>,
        403,
      );
    }
    const { before, after } = placeOf(c.req.query());
    const entries = await audit.latest(PAGE, after === undefined ? before : after + PAGE + 1);
    const [newest] = await audit.latest(1);
    const [first, last] = [entries[0], entries.at(-1)];
    return c.html(
      <Page title="Audit" bar={bar} area="/audit">
        <h1>Audit</h1>
        {first === undefined ? (
          <p>Nobody has done anything yet that is written down here: what asks for more than looking is.</p>
        ) : (
          <>
            <p class="quiet">
              Everything that takes a role, done or refused. Each entry holds the hash of the one before;{" "}
              <code>docker-ci audit verify</code> says whether all are there.
            </p>
            <Entries entries={entries} isWhole={isKnown} />
          </>
        )}
        <Pager
          path="/audit"
          newer={first !== undefined && newest !== undefined && first.n < newest.n ? first.n : undefined}
          older={last !== undefined && last.n > 1 ? last.n : undefined}
        />
      </Page>,
    );
  });
  return app;
}

const LogIn = () => <a href="/login?to=%2Faudit">Log in</a>;

const Entries = ({ entries, isWhole }: { entries: readonly Entry[]; isWhole: boolean }) => (
  <div class="scroll">
    <table class="stack">
      <thead>
        <tr>
          <th scope="col" class="number">
            Entry
          </th>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          {isWhole ? <th scope="col">Where</th> : null}
          <th scope="col">What</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(({ n, at, who, account, room, action, detail, outcome }) => (
          <tr>
            <td class="number">{n}</td>
            <td>
              <Time at={at} />
            </td>
            <td>
              {who}
              {isWhole && account !== null ? <span class="quiet"> ({account})</span> : null}
            </td>
            {isWhole ? <td>{room ?? ""}</td> : null}
            <td class="wide">
              <code>{detail === "" ? action : `${action} ${detail}`}</code>
            </td>
            <td>{outcome === "accepted" ? outcome : <strong>{outcome}</strong>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** What changed in a project and was not built, and why: nobody has to wonder where the build of a push is. */
import { SHORT_SHA } from "../../builds/describe.ts";
import type { Skipped } from "../../triggers/skipped.ts";
import { Ago } from "../shell.tsx";

export const NotBuilt = ({ skipped, now }: { skipped: readonly Skipped[]; now: Date }) =>
  skipped.length === 0 ? null : (
    <section aria-labelledby="not-built">
      <h2 id="not-built">Not built</h2>
      <ul>
        {skipped.map(({ ref, sha, reason, at }) => (
          <li>
            {ref} <code>{sha.slice(0, SHORT_SHA)}</code>: {reason},{" "}
            <span class="quiet">
              <Ago at={at} now={now} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );

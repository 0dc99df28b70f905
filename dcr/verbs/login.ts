/** `dcr FILE login` (O-146). */
import { logIn } from "../images.ts";
import { loginFor, OUTCOME_HEADERS, onEveryHost } from "../session.ts";
import { tell, type Verb } from "./verb.ts";

export const login: Verb = {
  name: "login",
  summary: "try the registry's login from every host; nothing is kept",
  takesDomain: "never",
  options: [],
  usesGateways: false,
  async run(session) {
    const rows = await onEveryHost(session, async (daemon, application) => {
      const login = loginFor(session, application);
      if (login === undefined)
        return { result: "failed: there is no registry_login, here or in settings.yml", failed: true };
      return { result: `${login.username} at ${login.serveraddress}: ${await logIn(daemon, login)}` };
    });
    return tell(session, OUTCOME_HEADERS, rows);
  },
};

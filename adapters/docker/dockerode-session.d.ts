/** A part of dockerode that has no types: the session over which BuildKit asks its client for registry logins. */
declare module "dockerode/lib/session.js" {
  import type Docker from "dockerode";

  const withSession: (
    docker: Docker,
    auth: undefined,
    handler: (error: Error | null, sessionId: string | null, done: () => void) => void,
  ) => void;
  export = withSession;
}

/** BuildKit pulls base images with logins that it asks its client for, over a session that must stay open meanwhile. */
import type { Engine } from "./engine.ts";

export interface Session {
  readonly id: string;
  close(): void;
}

/** Opens a session that has no logins to give: public images can be pulled, and others say that they take one. */
export async function openSession(engine: Engine, signal: AbortSignal): Promise<Session> {
  return await engine.ask(async (docker) => {
    const { default: withSession } = await import("dockerode/lib/session.js");
    return await new Promise<Session>((resolve, reject) => {
      withSession(docker, undefined, (error, id, done) => {
        if (error !== null || id === null) reject(error ?? new Error("no session"));
        else resolve({ id, close: done });
      });
    });
  }, signal);
}

/** `dcr FILE pull` (O-146). */
import { pullImage } from "../images.ts";
import { ProgressBoard, type ProgressOutput, PullProgress } from "../progress.ts";
import { loginFor, onEveryHost, type Session } from "../session.ts";
import { tell, type Verb } from "./verb.ts";

export const pull: Verb = {
  name: "pull",
  summary: "fetch each image to every host, and see that all have the same one",
  takesDomain: "never",
  options: [],
  usesGateways: false,
  async run(session) {
    const board = new ProgressBoard(boardOf(session));
    const digests = new Map<string, Set<string>>();
    const rows = await onEveryHost(session, async (daemon, application) => {
      const { image } = application;
      if (image === undefined) return { result: "left out, as it has no image:" };
      board.note(daemon.name, `pulling ${image}`);
      const progress = new PullProgress();
      const digest = await pullImage(
        daemon,
        image,
        loginFor(session, application),
        (event) => {
          progress.add(event);
          board.update(daemon.name, `pulling ${image} ${progress.bar()}`);
        },
        session.signal,
      );
      board.note(daemon.name, `pulled ${image}`);
      digests.set(image, (digests.get(image) ?? new Set()).add(digest));
      return { result: `pulled ${image}`, details: [digest] };
    });
    const isWell = tell(session, ["HOST", "CONTAINER", "RESULT"], rows);
    const differing = [...digests].filter(([, found]) => found.size > 1).map(([image]) => image);
    for (const image of differing) session.errors.write(`${image} is not the same image on every host.\n`);
    return isWell && differing.length === 0;
  },
};

export function boardOf({ errors }: Session): ProgressOutput {
  return { isTerminal: errors.isTTY === true, write: (text) => errors.write(text) };
}

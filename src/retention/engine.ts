/** What builds left on an engine: images, and volumes that are kept for later builds. Only what carries our labels. */
import type { Retention } from "../config.ts";
import { buildNumberOf } from "../pipeline/image-tag.ts";
import type { ContainerRuntime } from "../runtime.ts";
import type { BuildFacts } from "./facts.ts";

export interface EngineScene {
  readonly runtime: Pick<ContainerRuntime, "listImages" | "findVolumes" | "removeImage" | "removeVolume">;
  /** Names this docker-ci on an engine that others may use too. */
  readonly instance: string;
}

/** References and names. */
export interface OnEngine {
  readonly images: readonly string[];
  readonly volumes: readonly string[];
}

type Ages = Pick<Retention, "imagesMs" | "cachesMs">;

/**
 * Images of builds that ended too long ago, older testbuilders, and caches that no build has used for too long. An image of
 * a layer cache is as old as its layers, so what counts is the build that it is named after.
 */
export async function expiredOnEngine(
  { runtime, instance }: EngineScene,
  facts: readonly BuildFacts[],
  retention: Ages,
  now: Date,
): Promise<OnEngine> {
  const mine = { "docker-ci.instance": instance };
  const endOf = new Map(facts.map(({ number, finishedAt }) => [Number(number), finishedAt ?? now.getTime()]));
  const isImageOld = (atMs: number): boolean => now.getTime() - atMs > retention.imagesMs;
  const ofBuilds = (await runtime.listImages(mine)).filter(({ reference, createdAt }) => {
    const number = buildNumberOf(reference, instance);
    return isImageOld((number === undefined ? undefined : endOf.get(number)) ?? createdAt.getTime());
  });
  const testbuilders = (await runtime.listImages({ "docker-ci.image": "testbuilder" })).filter(({ createdAt }) =>
    isImageOld(createdAt.getTime()),
  );
  const lastUse = lastUses(facts, now);
  const volumes = (await runtime.findVolumes(mine)).filter(({ labels }) => {
    const scope = labels["docker-ci.cache"];
    if (scope === undefined) return false;
    const usedAt = lastUse.get(`${labels["docker-ci.project"]}\0${scope}`);
    return usedAt === undefined || now.getTime() - usedAt > retention.cachesMs;
  });
  return {
    images: [...ofBuilds, ...testbuilders].map(({ reference }) => reference),
    volumes: volumes.map(({ name }) => name),
  };
}

/** What is in use stays: the engine refuses. */
export async function removeFromEngine({ runtime }: EngineScene, { images, volumes }: OnEngine): Promise<void> {
  for (const image of images) await runtime.removeImage(image);
  for (const volume of volumes) await runtime.removeVolume(volume);
}

/** When each cache (pipeline/caches.ts calls them by branch and pull request) was last used, by project and scope. */
function lastUses(facts: readonly BuildFacts[], now: Date): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const { number, project, branch, pullRequest, finishedAt = now.getTime() } of facts) {
    const scopes = [
      ...(branch === undefined ? [] : [`branch ${branch}`]),
      ...(pullRequest === undefined ? [] : [`pull request ${pullRequest}`]),
      `build ${number}`,
    ];
    for (const scope of scopes) {
      const key = `${project}\0${scope}`;
      uses.set(key, Math.max(finishedAt, uses.get(key) ?? 0));
    }
  }
  return uses;
}

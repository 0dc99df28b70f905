/** Whether what a bucket serves of a version is what was signed: asked by people, and by the clock. */
import { UserError } from "../../errors.ts";
import type { ProjectName } from "../../names.ts";
import type { Version } from "../release.ts";
import { type Comparison, compareServed } from "./compare.ts";
import { readLatest } from "./latest.ts";
import { isNight, placeOf } from "./layout.ts";
import { pointerProblems } from "./move-pointers.ts";
import { pointersOf } from "./pointers.ts";
import type { BucketScene } from "./scene.ts";

export interface Verdict {
  readonly project: ProjectName;
  readonly version: Version;
  /** `s3://test.example.org/docker/0.9.0/` */
  readonly target: string;
  readonly compared: Comparison;
  /** What `latest` says; undefined where there is none. */
  readonly latest: Version | undefined;
  /** How many objects follow `latest`, where it is this version and all of them are as it says. */
  readonly pointers: number;
}

export type VerifyRelease = (
  wish: { readonly project: ProjectName; readonly version?: Version | undefined },
  signal: AbortSignal,
) => Promise<Verdict>;

/** @returns a function that throws UserError for what is not released at all, RuntimeError where it cannot be found out. */
export function createVerifyRelease(scene: BucketScene): VerifyRelease {
  const { config: all, openStore, openSigner, verifySignature } = scene;
  return async ({ project, version: asked }, signal) => {
    const config = all.releases.get(project);
    if (config === undefined) throw new UserError(`${project} is not set up for releases.`);
    const of = asked !== undefined && isNight(asked) ? ("nightly" as const) : ("release" as const);
    const bucket = of === "nightly" ? (config.nightly?.target ?? config.target) : config.target;
    const store = await openStore(bucket);
    try {
      const latest = (await readLatest(store, config, project, { of, signal }))?.version;
      const version = asked ?? latest;
      if (version === undefined) throw new UserError(`nothing of ${project} is published yet.`);
      const place = placeOf(config, project, version);
      const trusted = await (await openSigner(config))?.key(signal);
      const compared = await compareServed({ store, place, project, version, trusted, verifySignature }, signal);
      const verdict = { project, version, target: place.target, latest };
      const pointers = compared.kind === "same" && version === latest ? pointersOf(compared.manifest, place) : [];
      const problems = await pointerProblems(store, pointers, signal);
      if (problems.length > 0) return { ...verdict, compared: { kind: "differs", problems }, pointers: 0 };
      return { ...verdict, compared, pointers: pointers.length };
    } finally {
      await store[Symbol.asyncDispose]();
    }
  };
}

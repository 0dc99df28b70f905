/** The context of a `build:` step: the part of the tree that its Dockerfile may see. */

import { createReadStream } from "node:fs";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import dockerignore from "@balena/dockerignore";
import type { BuildStep } from "./schema.ts";
import { readFromTree, rewriteTar } from "./tree.ts";

export interface BuildContext {
  readonly stream: Readable;
  readonly dockerfile: string;
}

/**
 * The tar to build `step` from, or a sentence about what the repository lacks.
 *
 * `.dockerignore` is applied here, since an engine that is handed a tar does not, and `FROM <step>` is turned into the image that
 * the earlier step built.
 * @param images step names to image references.
 */
export async function buildContext(
  tarFile: string,
  step: BuildStep,
  images: ReadonlyMap<string, string>,
): Promise<BuildContext | { readonly missing: string }> {
  const folder = step.context === "." ? "" : posix.normalize(`${step.context}/`).replace(/^\.\//, "");
  const dockerfilePath = posix.join(folder, step.dockerfile);
  const inContext = posix.normalize(step.dockerfile);
  const dockerfile = await readFromTree(tarFile, dockerfilePath);
  if (dockerfile === undefined) return { missing: `the repository has no ${dockerfilePath}` };

  const ignored =
    (await readFromTree(tarFile, `${dockerfilePath}.dockerignore`)) ??
    (await readFromTree(tarFile, posix.join(folder, ".dockerignore")));
  const rewritten = withStepImages(dockerfile, images);
  if (folder === "" && ignored === undefined && rewritten === dockerfile) {
    return { stream: createReadStream(tarFile), dockerfile: inContext };
  }

  const filter = ignored === undefined ? undefined : dockerignore.default({ ignorecase: false }).add(ignored);
  const stream = rewriteTar(tarFile, {
    replace: new Map([[inContext, rewritten]]),
    rename(path) {
      const inside = folder === "" ? path : `${path}/`.startsWith(folder) ? path.slice(folder.length) : undefined;
      if (inside === undefined || inside === "" || inside === inContext) return inside;
      // The pattern language may bring a file back out of an ignored folder, so a folder is judged by its files.
      return filter?.ignores(inside) === true ? undefined : inside;
    },
  });
  return { stream, dockerfile: inContext };
}

/** A Dockerfile whose `FROM`, `COPY --from=` and `--mount=…from=` name the images of earlier steps instead of the steps. */
export function withStepImages(dockerfile: string, images: ReadonlyMap<string, string>): string {
  if (images.size === 0) return dockerfile;
  const stages = new Set<string>();
  let continues = false;
  const lines = dockerfile.split("\n").map((text) => {
    const isInside = continues || /^\s*(COPY|ADD|RUN)\s/i.test(text);
    // Comments and empty lines may stand inside an instruction that goes on.
    continues = isInside && (/\\\s*$/.test(text) || (continues && /^\s*(#|$)/.test(text)));
    const from = /^(\s*FROM\s+(?:--\S+\s+)*)(\S+)(?:(\s+AS\s+)(\S+))?/i.exec(text);
    const resolve = (name: string): string => (stages.has(name.toLowerCase()) ? name : (images.get(name) ?? name));
    if (from !== null && !isInside) {
      const [whole, keyword = "", image = "", as = "", stage = ""] = from;
      const line = `${keyword}${resolve(image)}${as}${stage}${text.slice(whole.length)}`;
      if (stage !== "") stages.add(stage.toLowerCase());
      return line;
    }
    return isInside
      ? text.replace(/(--from=|--mount=\S*\bfrom=)([^\s,]+)/g, (_all, key: string, name: string) => key + resolve(name))
      : text;
  });
  return lines.join("\n");
}

/** The names of the images that a build makes: what the engine knows of whose they are, since equal builds share an image. */

/** After the project for people, and by the build's id so that no two builds ever meet in one: `docker-ci/hello:1f2e-42-image`. */
export function imageTag(project: string, id: string, step: string): string {
  return `docker-ci/${project.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}:${id}-${step}`;
}

/** Whether this image is a step's of the run with that id. */
export function isImageOf(reference: string, id: string): boolean {
  return reference.slice(reference.lastIndexOf(":") + 1).startsWith(`${id}-`);
}

/** The number of the build whose image this is, by ids of the form `<instance>-<number>`. */
export function buildNumberOf(reference: string, instance: string): number | undefined {
  if (!isImageOf(reference, instance)) return undefined;
  const id = reference.slice(reference.lastIndexOf(":") + 1 + instance.length);
  const number = /^-(\d+)-/.exec(id)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Pictures that builds left behind, small, each a link to itself: what a check of a site saw. */
import { type Build, isFinished } from "../builds/build.ts";
import { artifactPath, picturesOf } from "../builds/pictures.ts";
import type { Retention } from "../config.ts";

const SHOWN_MAX = 6;

interface PicturesProps {
  readonly build: Build;
  readonly retention: Retention;
  readonly now: Date;
  /** How many; default: a few. */
  readonly max?: number;
}

/** Nothing where there are none, or none any more. */
export const Pictures = ({ build, max = SHOWN_MAX, ...given }: PicturesProps) => {
  if (!hasPictures(build, given)) return null;
  return (
    <div class="pictures">
      {picturesOf(build)
        .slice(0, max)
        .map(({ path, step }) => (
          <figure>
            <a href={artifactPath(build.number, path)}>
              <img src={artifactPath(build.number, path)} alt={`${path}, as step ${step} left it`} loading="lazy" />
            </a>
            <figcaption class="quiet">
              {path} · {step}
            </figcaption>
          </figure>
        ))}
    </div>
  );
};

/** Whether it left pictures that are still kept. */
export function hasPictures(build: Build, { retention, now }: Pick<PicturesProps, "retention" | "now">): boolean {
  if (!isFinished(build) || picturesOf(build).length === 0) return false;
  return now.getTime() - Date.parse(build.state.finishedAt) < retention.artifactsMs;
}

export const PICTURES_STYLE = `
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0.75rem 0; } .pictures figure { margin: 0; width: min(16rem, 100%); }
.pictures img { display: block; width: 100%; height: 10rem; object-fit: cover; object-position: top; background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius); } .pictures figcaption { font-size: 0.875rem; }
`;

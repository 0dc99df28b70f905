/** From one page of a long list to the next: `newer` and `older`, in the address and so in the history of the browser. */
import { BuildNumber } from "../names.ts";

/** `?before=` and `?after=` of an address; what is no number is as if it were not there. */
export function placeOf(query: Readonly<Record<string, string>>): {
  readonly before: BuildNumber | undefined;
  readonly after: BuildNumber | undefined;
} {
  const read = (text: string | undefined): BuildNumber | undefined =>
    text !== undefined && /^[1-9]\d{0,15}$/.test(text) ? BuildNumber.safeParse(text).data : undefined;
  return { before: read(query.before), after: read(query.after) };
}

/** @param path of the list, without a query. */
export const Pager = (props: { path: string; newer: number | undefined; older: number | undefined }) => {
  const { path, newer, older } = props;
  if (newer === undefined && older === undefined) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {newer === undefined ? null : (
        <>
          <a href={path}>▲ newest</a>
          <a href={`${path}?after=${newer}`} rel="prev">
            newer
          </a>
        </>
      )}
      {older === undefined ? null : (
        <a href={`${path}?before=${older}`} rel="next">
          ▼ older
        </a>
      )}
    </nav>
  );
};

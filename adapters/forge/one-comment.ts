/** One comment of ours on a pull request, found again and edited in place: what all forges have in common there. */
import { RuntimeError } from "../../src/errors.ts";

/** A comment of ours behind so many others is not found, and another one is written. */
const PAGES = 30;

export interface FoundComment {
  readonly id: number;
  readonly body: string;
  /** Who wrote it. */
  readonly by: string;
  /** An app wrote it, and no person. */
  readonly isBot: boolean;
}

export interface CommentCalls {
  /** Whom the token is of. */
  ownName(): Promise<string>;
  /** From 1 on, the oldest first; a page with less than `pageLength` is the last. */
  page(page: number): Promise<readonly FoundComment[]>;
  readonly pageLength: number;
  add(body: string): Promise<unknown>;
  edit(id: number, body: string): Promise<unknown>;
}

/** The functions of one connection: whom its token is of is asked once. */
export function commentKeeper() {
  /** "" for a token that is an app's and no person's. */
  let self: string | undefined;

  async function ownName(calls: CommentCalls): Promise<string> {
    try {
      self ??= await calls.ownName();
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.retryable) throw error;
      self = "";
    }
    return self;
  }

  /** Anybody can write a comment that begins as ours do: only one of our own is edited. */
  async function ownComment(calls: CommentCalls, mark: string): Promise<FoundComment | undefined> {
    const name = await ownName(calls);
    let first: number | undefined;
    for (let page = 1; page <= PAGES; page += 1) {
      const comments = await calls.page(page);
      const own = comments.find(({ body, by, isBot }) => body.startsWith(mark) && (name === "" ? isBot : by === name));
      // Gitea has all of them on one page, whichever it is asked for.
      if (own !== undefined || comments.length < calls.pageLength || comments[0]?.id === first) return own;
      first = comments[0]?.id;
    }
    return undefined;
  }

  return async (calls: CommentCalls, key: string, markdown: string): Promise<void> => {
    const mark = `<!-- ${key} -->`;
    const own = await ownComment(calls, mark);
    const body = `${mark}\n${markdown}`;
    if (own?.body === body) return;
    await (own === undefined ? calls.add(body) : calls.edit(own.id, body));
  };
}

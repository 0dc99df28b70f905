/** One line that changes in place on a terminal, on standard error; elsewhere it is not shown. */

const CLEAR_LINE = "\r\u001b[K";

export interface ShownProgress {
  show(text: string): void;
  clear(): void;
}

export function showProgress(out: NodeJS.WriteStream = process.stderr): ShownProgress {
  let isShown = false;
  return {
    show(text) {
      if (out.isTTY !== true) return;
      isShown = true;
      out.write(CLEAR_LINE + text.slice(0, Math.max(20, out.columns - 1)));
    },
    clear() {
      if (isShown) out.write(CLEAR_LINE);
      isShown = false;
    },
  };
}

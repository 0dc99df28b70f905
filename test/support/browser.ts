/** Chromium without a window, for what only a browser does. A page that asks another host, or logs an error, fails its test. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Debian's; another can be named. */
const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Tests that take a browser are skipped where there is none, and fail in CI. */
export const hasBrowser = existsSync(EXECUTABLE) || process.env.CI === "true";

export interface OpenedPage {
  readonly page: Page;
  /** What went wrong on the page so far: errors in its console, and requests to other hosts. */
  readonly faults: readonly string[];
}

export interface TestBrowser extends AsyncDisposable {
  /** A page of its own profile, on which nothing has gone wrong. `javaScriptEnabled: false` for one without scripts. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
  readonly browser: Browser;
}

/** Disposing of it throws when a page asked another host or logged an error. */
export async function openBrowser(): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath: EXECUTABLE });
  const faults: string[] = [];
  return {
    browser,
    async open(url, options = {}) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const { host } = new URL(url);
      page.on("console", (message) => {
        if (message.type() === "error") faults.push(`the console of ${page.url()}: ${message.text()}`);
      });
      page.on("pageerror", (error) => faults.push(`a script of ${page.url()}: ${error.message}`));
      page.on("request", (request) => {
        const asked = new URL(request.url());
        if (asked.protocol !== "data:" && asked.host !== host) faults.push(`${page.url()} asked ${request.url()}`);
      });
      await page.goto(url);
      return page;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      if (faults.length > 0) throw new Error(`not as it should be: ${faults.join("; ")}`);
    },
  };
}

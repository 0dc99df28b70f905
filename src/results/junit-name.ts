/** What a test of a JUnit report is called. Every tool fills in the same attributes, and each means something else by them. */
import { cleanName } from "./clean-name.ts";
import type { TestName } from "./test-case.ts";

/** Suites that a tool makes up: they name the tool, or nothing. */
const MADE_UP = new Set(["", "pytest", "Mocha Tests", "Root Suite", "jest tests", "vitest tests", "undefined", "root"]);

export interface Named {
  readonly name: string;
  readonly classname: string;
  /** The names of the `<testsuite>` elements around it that say something, outermost first. */
  readonly around: readonly string[];
}

/**
 * The suite is the class name in most dialects; where that is missing, or repeats the name, it is what stands around the test.
 * Nothing of it depends on the order or the number of tests, so that a test has the same name in the next build.
 */
export function junitName({ name, classname, around }: Named): TestName {
  const innermost = around.at(-1) ?? "";
  // node --test: the class is always "test", and its names are escaped twice.
  if (classname === "test") return named(around.join(" › "), name.replaceAll("&quot;", '"'));
  if (classname === "") return named(around.join(" › "), name);
  // jest-junit: both are the whole title.
  if (classname === name) return named(innermost, behind(name, innermost));
  // mocha-junit-reporter: the class is the title, the name the whole path to it.
  if (name.endsWith(classname) && name.at(-classname.length - 1) === " ")
    return named(name.slice(0, -classname.length), classname);
  // go-junit-report 1: the class is only the end of the package's path.
  if (innermost.endsWith(classname) && innermost.at(-classname.length - 1) === "/") return named(innermost, name);
  return named(classname, name);
}

/** Without the suites that a tool makes up. */
export function realSuites(suites: readonly string[]): readonly string[] {
  return suites.filter((suite) => !MADE_UP.has(suite));
}

function behind(title: string, suite: string): string {
  return suite !== "" && title.startsWith(`${suite} `) ? title.slice(suite.length + 1) : title;
}

/** The tests of a suite stand one behind the other: it is cleaned once. */
let newest = { suite: "", clean: "" };

function named(suite: string, name: string): TestName {
  if (newest.suite !== suite) newest = { suite, clean: cleanName(suite) };
  return { suite: newest.clean, name: cleanName(name) };
}

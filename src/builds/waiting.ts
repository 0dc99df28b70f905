/** Why a build waits, in words: its place in the line, or what else holds it. */

import type { Pause } from "../queue/pauses.ts";
import { clockPhrase } from "../schedules/when.ts";
import { formatDuration } from "../units.ts";
import type { Forecast, WaitsFor } from "./forecast.ts";

/** By which clock it is said. */
export interface Told {
  readonly now: Date;
  readonly timezone: string;
}

/** `next in line`, `2 before it, begins in about 5m20s`, `paused by ada since Sun 12:00 UTC`; of a build that has begun, that. */
export function placePhrase(forecast: Forecast | undefined, told: Told): string {
  if (forecast === undefined) return "begins now";
  const line = forecast.before === 0 ? "next in line" : `${forecast.before} before it`;
  const place = forecast.waitsFor === undefined ? line : waitsPhrase(forecast.waitsFor, told);
  const begins = beginsPhrase(forecast);
  return begins === "" ? place : `${place}, ${begins}`;
}

/** `begins in about 5m20s`; nothing where it begins at once or nobody can tell. */
export function beginsPhrase({ beginsInMs }: Partial<Forecast>): string {
  return beginsInMs === undefined || beginsInMs === 0 ? "" : `begins in about ${formatDuration(beginsInMs)}`;
}

/** `waits for #47 of the same project (max 1)` */
export function waitsPhrase(waitsFor: WaitsFor, told: Told): string {
  switch (waitsFor.kind) {
    case "paused":
      return pausedPhrase(waitsFor.pause, told);
    case "project":
      return `waits for #${waitsFor.number} of the same project (max ${waitsFor.max})`;
    case "group":
      return `waits for #${waitsFor.number} of the group ${waitsFor.group}`;
    case "held":
      return `${waitsFor.worker} takes nothing: ${waitsFor.reason}`;
    case "worker":
      return `waits for a worker with ${waitsFor.labels.join(" and ")}`;
    default:
      return waitsFor satisfies never;
  }
}

/** `paused by ada since Sun 12:00 UTC` */
export function pausedPhrase({ by, since }: Pause, { now, timezone }: Told): string {
  return `paused by ${by} since ${clockPhrase(new Date(since), now, timezone)}`;
}

/** All that is held, each with its project's name where it is one project's: `hello paused by ada since …`. */
export function pausedFacts(pauses: readonly Pause[], told: Told): string[] {
  return pauses.map((pause) => `${pause.project === undefined ? "" : `${pause.project} `}${pausedPhrase(pause, told)}`);
}

/** Durations in words: what a build took, and how long ago something was. */

const UNITS = [
  { name: "day", seconds: 24 * 60 * 60 },
  { name: "hour", seconds: 60 * 60 },
  { name: "minute", seconds: 60 },
  { name: "second", seconds: 1 },
];

/**
 * "2 minutes and 58 seconds": the two largest units, which is as exact as people ask for.
 * @throws RangeError for what is no duration: less than nothing, or no number.
 */
export function inWords(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new RangeError(`not a duration: ${seconds}`);
  }
  let rest = Math.round(seconds);
  const parts = [];
  for (const unit of UNITS) {
    const count = Math.floor(rest / unit.seconds);
    rest -= count * unit.seconds;
    if (count > 0) parts.push(counted(count, unit.name));
  }
  if (parts.length === 0) return "no time at all";
  return parts.join(" and ");
}

/** "1 hour ago", or "in 1 hour" when `then` is still to come. Both are Dates. */
export function fromNow(then, now = new Date()) {
  const seconds = (now.getTime() - then.getTime()) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  if (seconds < 0) {
    // No test looks ahead yet: these lines are what the coverage lacks.
    const ahead = -seconds;
    if (ahead < 10) return "in a moment";
    if (ahead < 60) return "within a minute";
    return `in ${inWords(ahead)}`;
  }
  if (seconds < 10) return "just now";
  return `${inWords(seconds)} ago`;
}

function counted(count, noun) {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun}s`;
}

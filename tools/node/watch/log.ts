// A node's log: pino's JSON lines on standard output. What others can make it say is limited.

import pino, { type Logger } from "pino";
import type { NodeConfiguration } from "../configuration.js";
import { createLineLimit } from "./line-limit.js";

/** Warnings of one kind about one peer that are written in a minute. */
const WARNINGS_MAX = 10;
const WARNINGS_WINDOW_MS = 60_000;

/** A log in which warnings of one kind about one peer are limited; the next that is written says how many were left out. */
export function createLog({ name, log: level }: NodeConfiguration): Logger {
  const limit = createLineLimit(WARNINGS_MAX, WARNINGS_WINDOW_MS);
  return pino({
    name,
    level,
    hooks: {
      logMethod(entry, method, severity) {
        const [fields, message] = entry as unknown as readonly [{ readonly peer?: string }, string];
        if (severity !== pino.levels.values.warn) return method.apply(this, entry);
        const leftOut = limit.take(`${message} ${fields.peer ?? ""}`, performance.now());
        if (leftOut === undefined) return;
        const told = leftOut === 0 ? fields : { ...fields, like_it_left_out: leftOut };
        return method.apply(this, [told, message] as unknown as typeof entry);
      },
    },
  });
}

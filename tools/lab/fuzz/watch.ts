// What shows that a node has taken harm: it ended, its memory grows, or it wrote of what it should never have met.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { readResident_bytes } from "../rig/process-usage.js";
import type { ServerProcess } from "../rig/server-process.js";

/** pino's level from which on a line is an error (pino documentation, "level"). */
const ERROR_LEVEL = 50;
const unhandled = /unhandled|uncaught|heap out of memory|MaxListenersExceeded|INVARIANT/i;
const FINDINGS_MAX = 20;
const READ_BYTES_MAX = 64 * 1024 * 1024;

export interface Watched {
  readonly server: ServerProcess;
  readonly logPath: string;
}

export interface Watch {
  /** Looks again; what was found so far, at most so many lines. */
  look(): readonly string[];
  /** the memory that each node had at the last look, and the most it ever had then, in bytes */
  readonly memory: readonly { readonly now: number; readonly most: number }[];
  /** bytes that the nodes have logged */
  readonly logged_bytes: number;
}

export function createWatch(nodes: readonly Watched[]): Watch {
  const findings: string[] = [];
  const offsets = nodes.map(() => 0);
  const memory = nodes.map(() => ({ now: 0, most: 0 }));
  const note = (finding: string) => {
    if (findings.length < FINDINGS_MAX) findings.push(finding);
  };
  return {
    look() {
      for (const [index, { server, logPath }] of nodes.entries()) {
        if (server.hasEnded) note(`${server.name} ended: ${server.lastWords()}`);
        else {
          const now = readResident_bytes(server.pid) ?? 0;
          memory[index] = { now, most: Math.max(memory[index]!.most, now) };
        }
        for (const line of newLines(logPath, offsets, index)) {
          if (unhandled.test(line) || levelOf(line) >= ERROR_LEVEL) note(`${server.name}: ${line.slice(0, 300)}`);
        }
      }
      return findings;
    },
    memory,
    get logged_bytes() {
      return offsets.reduce((sum, offset) => sum + offset, 0);
    },
  };
}

/** Whole lines that were written since the last call. */
function newLines(path: string, offsets: number[], index: number): readonly string[] {
  const from = offsets[index]!;
  const length = Math.min(statSync(path).size - from, READ_BYTES_MAX);
  if (length <= 0) return [];
  const bytes = Buffer.alloc(length);
  const file = openSync(path, "r");
  readSync(file, bytes, 0, length, from);
  closeSync(file);
  const end = bytes.lastIndexOf(0x0a) + 1;
  offsets[index] = from + end;
  return bytes.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
}

function levelOf(line: string): number {
  return Number(/^\{"level":(\d+),/.exec(line)?.[1] ?? 0);
}

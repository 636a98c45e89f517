// What a look at a node's machine comes to, pure: what was seen in, one finding a thing that was looked at out. Each that does not
// pass says what to do. Words as in /health: pass, warn, fail.

import { CLOCK_OFF_MAX_MS, CLOCK_WRONG_MS, FREE_SHARE_MIN } from "../../node/watch/health.js";
import { timeText } from "../../terminal/output.js";

/** What is looked at, in the order in which it is said. */
export const checkNames = [
  "configuration",
  "key",
  "certificate",
  "data",
  "space",
  "port",
  "node",
  "version",
  "peer",
  "broker",
  "clock",
] as const;
export type CheckName = (typeof checkNames)[number];

export interface Finding {
  readonly check: CheckName;
  readonly status: "pass" | "warn" | "fail";
  /** what was found, and of what */
  readonly output: string;
  /** what to do; of one that passes nothing */
  readonly remedy?: string;
}

/** Certificates that end sooner are to be replaced by now. */
export const CERTIFICATE_DAYS_MIN = 30;
const DAY_MS = 86_400_000;

export function pass(check: CheckName, output: string): Finding {
  return { check, status: "pass", output };
}

export function warn(check: CheckName, output: string, remedy: string): Finding {
  return { check, status: "warn", output, remedy };
}

export function fail(check: CheckName, output: string, remedy: string): Finding {
  return { check, status: "fail", output, remedy };
}

/** Whether a certificate is good now and for a while, in UTC milliseconds. */
export function judgeDates(
  path: string,
  { from_ms, to_ms }: { readonly from_ms: number; readonly to_ms: number },
  now_ms: number,
): Finding {
  const until = timeText(to_ms).slice(0, 10);
  const renew = "make a new one with the authority, put it in its place and restart the node";
  if (now_ms < from_ms) {
    return fail(
      "certificate",
      `${path} is not valid before ${timeText(from_ms)}`,
      "set the clock, or fetch the right one",
    );
  }
  if (now_ms > to_ms) return fail("certificate", `${path} has ended on ${until}`, renew);
  const days = Math.floor((to_ms - now_ms) / DAY_MS);
  const said = `${path} is valid until ${until}`;
  return days < CERTIFICATE_DAYS_MIN ? warn("certificate", `${said}, ${days} days`, renew) : pass("certificate", said);
}

/** Whether the disk of a folder has room. */
export function judgeSpace(
  folder: string,
  { free_bytes, size_bytes }: { readonly free_bytes: number; readonly size_bytes: number },
): Finding {
  const share = size_bytes === 0 ? 0 : free_bytes / size_bytes;
  const said = `the disk of ${folder} has ${gigabytes(free_bytes)} of ${gigabytes(size_bytes)} free`;
  const room = "make room, or let go of old records with `gridseal node prune`";
  if (free_bytes === 0) return fail("space", said, room);
  return share < FREE_SHARE_MIN ? warn("space", said, room) : pass("space", said);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** What came of listening on an address: nobody had it, somebody has it, or the system does not give it. */
export type PortSeen = "free" | "held" | { readonly refused: string };

/** Whether an address is as it should be: held by the node where it runs, free where it does not. */
export function judgePort(what: string, seen: PortSeen, nodeRuns: boolean): Finding {
  if (typeof seen === "object") {
    const remedy = "name an address of this machine, and a port above 1023 unless the service may take lower ones";
    return fail("port", `${what} cannot be listened on: ${seen.refused}`, remedy);
  }
  if (seen === "free") {
    return nodeRuns
      ? fail("port", `${what} is free although the node runs`, "restart the node: it runs by another configuration")
      : pass("port", `${what} is free`);
  }
  return nodeRuns
    ? pass("port", `${what} is held, as the node runs`)
    : fail("port", `${what} is held by another process`, "stop it, or choose another port in node.json");
}

/** How far this machine's clock is from another's, which says full seconds alone. */
export function judgeClock(whose: string, offset_ms: number): Finding {
  const off_ms = Math.abs(offset_ms);
  const said = `this clock is ${(off_ms / 1_000).toFixed(1)} s ${offset_ms < 0 ? "behind" : "ahead of"} that of ${whose}`;
  const remedy = "see that a time service runs at both ends: chronyc tracking, or timedatectl";
  if (off_ms >= CLOCK_WRONG_MS) return fail("clock", said, remedy);
  return off_ms > CLOCK_OFF_MAX_MS ? warn("clock", said, remedy) : pass("clock", said);
}

/** Whether a node runs the version that this command is of. */
export function judgeVersion(whose: string, theirs: string | undefined, ours: string): Finding {
  if (theirs === ours) return pass("version", `${whose} runs ${theirs}, as this command`);
  return warn(
    "version",
    `${whose} runs ${theirs ?? "a version that does not say which"}, this command is ${ours}`,
    "bring all nodes to one version, one node after the other: docs/deploying.md",
  );
}

/** The worst of the findings. */
export function worstOf(findings: readonly Finding[]): Finding["status"] {
  if (findings.some(({ status }) => status === "fail")) return "fail";
  return findings.some(({ status }) => status === "warn") ? "warn" : "pass";
}

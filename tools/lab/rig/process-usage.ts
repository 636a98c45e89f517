// What a process has used so far, from Linux's /proc (proc(5)).

import { readFileSync } from "node:fs";

/** USER_HZ, in which /proc counts time: 100 on every architecture that Node runs on. */
const TICKS_PER_S = 100;

export interface ProcessUsage {
  /** user and system time of all threads */
  readonly cpu_s: number;
  /** bytes that the process caused to be written to storage */
  readonly written_bytes: number;
}

/** Undefined where there is no /proc or no such process. */
export function readProcessUsage(pid: number): ProcessUsage | undefined {
  try {
    return {
      cpu_s: cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, "utf8")),
      written_bytes: writtenBytesOf(readFileSync(`/proc/${pid}/io`, "utf8")),
    };
  } catch {
    return undefined;
  }
}

/** Memory of the process that is in RAM, what it maps of files included. Undefined as above. */
export function readResident_bytes(pid: number): number | undefined {
  return readMemory_bytes(pid, "VmRSS");
}

/**
 * Memory of the process that is no part of a file: what LMDB maps is the system's to take back.
 * Undefined as above.
 */
export function readOwnMemory_bytes(pid: number): number | undefined {
  return readMemory_bytes(pid, "RssAnon");
}

function readMemory_bytes(pid: number, name: "VmRSS" | "RssAnon"): number | undefined {
  try {
    return memoryOf(readFileSync(`/proc/${pid}/status`, "utf8"), name);
  } catch {
    return undefined;
  }
}

/** A line of /proc/pid/status in bytes. */
export function memoryOf(status: string, name: "VmRSS" | "RssAnon"): number {
  return 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? Number.NaN);
}

/** Fields 14 and 15 of /proc/pid/stat; the name in field 2 may hold blanks and brackets. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** `write_bytes` of /proc/pid/io. */
export function writtenBytesOf(io: string): number {
  return Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? Number.NaN);
}

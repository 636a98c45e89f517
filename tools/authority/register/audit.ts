// The audit of a register: the log's chain of hashes, and that every row is what the log's changes come to.
// What it cannot see: that the end of the log was cut off with its rows. For that it takes a head that is known from before.

import { reasonOf } from "../../errors.js";
import type { Applied } from "./applied.js";
import { applyChange } from "./changes.js";
import { type Entry, emptyHead, followingEntry, type LogHead } from "./log.js";
import type { Register } from "./register.js";
import { type RegisterView, type TableName, type Tables, tableNames } from "./rows.js";

export interface RegisterAudit {
  readonly head: LogHead;
  /** credentials issued */
  readonly issued: number;
  /** what is wrong, the first ones of it; none where the register is good */
  readonly problems: readonly string[];
}

const PROBLEMS_MAX = 100;

interface Replayed {
  head: LogHead;
  issued: number;
  readonly rows: Map<TableName, Map<string, string>>;
  readonly problems: string[];
  isKnownFound: boolean;
}

/** Replays the log and compares. `known` is a head that somebody outside remembers. */
export function auditRegister(register: Register, known?: LogHead): RegisterAudit {
  const replayed: Replayed = {
    head: emptyHead,
    issued: 0,
    rows: new Map(tableNames.map((name) => [name, new Map()])),
    problems: [],
    isKnownFound: known === undefined || isSameHead(known, emptyHead),
  };
  const isWhole = replayLog(register, replayed, known);
  if (isWhole) {
    if (!isSameHead(register.head, replayed.head)) replayed.problems.push("the head is not that of the last entry");
    if (register.issued !== replayed.issued) replayed.problems.push("the count of credentials is not that of the log");
    if (!replayed.isKnownFound) {
      replayed.problems.push(`entry ${known!.number} with the hash ${known!.hash} is not in the log`);
    }
    for (const name of tableNames) compareRows(register, name, replayed);
  }
  const { head, issued, problems } = replayed;
  return { head, issued, problems: problems.slice(0, PROBLEMS_MAX) };
}

/** Whether every entry follows and applies; behind the first that does not, nothing can be said. */
function replayLog(register: Register, replayed: Replayed, known: LogHead | undefined): boolean {
  const view: RegisterView = {
    get issued() {
      return replayed.issued;
    },
    get: <Name extends TableName>(table: Name, id: string) => {
      const text = replayed.rows.get(table)!.get(id);
      return text === undefined ? undefined : (JSON.parse(text) as Tables[Name]);
    },
  };
  for (const bytes of register.entries()) {
    const following = followingEntry(replayed.head, bytes);
    const name = `entry ${replayed.head.number + 1}`;
    if (typeof following === "string") return fail(replayed, `${name}: ${following}`);
    const applied = applying(view, following.entry);
    if (applied.type === "refused") return fail(replayed, `${name} does not apply: ${applied.reason}`);
    for (const { table, id, row } of applied.puts) replayed.rows.get(table)!.set(id, JSON.stringify(row));
    replayed.issued = applied.issued;
    replayed.head = following.head;
    if (known !== undefined && isSameHead(known, following.head)) replayed.isKnownFound = true;
  }
  return true;
}

/** An entry of anybody's making may lack anything that its change should have. */
function applying(view: RegisterView, { change, time_s }: Entry): Applied {
  try {
    return applyChange(view, change, time_s);
  } catch (cause) {
    return { type: "refused", reason: reasonOf(cause) };
  }
}

function compareRows(register: Register, table: TableName, { rows, problems }: Replayed): void {
  const expected = rows.get(table)!;
  let found = 0;
  for (const { id, row } of register.rows(table)) {
    found += 1;
    const logged = expected.get(id);
    if (logged === undefined) problems.push(`${table}, row ${id}: no change in the log makes it`);
    else if (logged !== JSON.stringify(row)) problems.push(`${table}, row ${id}: it is not what the log comes to`);
    if (problems.length > PROBLEMS_MAX) return;
  }
  if (found === expected.size) return;
  for (const id of expected.keys()) {
    if (register.get(table, id) === undefined) problems.push(`${table}, row ${id}: it is missing`);
    if (problems.length > PROBLEMS_MAX) return;
  }
}

function isSameHead(left: LogHead, right: LogHead): boolean {
  return left.number === right.number && left.hash === right.hash;
}

function fail({ problems }: Replayed, problem: string): false {
  problems.push(problem);
  return false;
}

// `gridseal authority order assign`: says which meters count for which measuring points, from when to when.

import { type Command, InvalidArgumentError } from "commander";
import { ASSIGNMENTS_MAX, type Assignment, asPoint, compareRows } from "../../../../src/wire/assignment-order.js";
import { assignmentsDue } from "../../../authority/assignments.js";
import { GridsealError, reasonOf } from "../../../errors.js";
import { readWhole } from "../../../files/made-once.js";
import type { Governance } from "../../../ledger/governance.js";
import { moment } from "../../../terminal/arguments.js";
import { useRegister } from "../authority-options.js";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";
import { namedMeter } from "./named-meter.js";

interface AssignOptions extends MakeOptions {
  readonly registered?: true;
  readonly point?: string;
  readonly meter?: string;
  readonly from?: number;
  readonly until?: number;
  readonly subtract?: true;
  readonly capacity?: bigint;
}

/** A line each of so many assignments, of 200 characters. */
const FILE_BYTES_MAX = 200 * ASSIGNMENTS_MAX;

export function registerAssign(order: Command): void {
  withOrderOptions(
    order.command("assign").description("say which meters count for which measuring points, from when to when"),
  )
    .argument("[file]", "several of them: lines of POINT,METER,FROM[,UNTIL[,+ or -[,CAPACITY]]]")
    .option("--registered", "what the register says of devices with credentials, and orders do not say yet")
    .option("--point <id>", "the point's ID", pointId)
    .option("--meter <meter>", "the meter, by its ID or key id")
    .option("--from <time>", "from when on, as 2026-03-29T00:00:00Z", moment)
    .option("--until <time>", "until when; with the same --from as before it ends that assignment", moment)
    .option("--subtract", "take the meter's energies from the point's, as a submeter's")
    .option("--capacity <mWh>", "what the meter's counters hold, where that is known", capacityOf)
    .action(orderAssign);
}

async function orderAssign(file: string | undefined, options: AssignOptions): Promise<void> {
  const governance = await governanceFor(options);
  const assignments = options.registered
    ? await registeredAssignments(options, governance)
    : file === undefined
      ? [await assignmentOf(options)]
      : await readAssignments(file, options);
  await makeOrder({ type: "assign", assignments: [...assignments].sort(compareRows) }, governance, options);
}

/** As many as one order holds; what is left comes with the next. Rejects with ORDER_REFUSED where there are none. */
async function registeredAssignments(options: AssignOptions, { assignments }: Governance): Promise<Assignment[]> {
  const due = await useRegister(options, (register) =>
    assignmentsDue(
      register,
      [...register.rows("assignments")].map(({ row }) => row),
      assignments,
    ),
  );
  if (due.length > 0) return due.slice(0, ASSIGNMENTS_MAX);
  throw new GridsealError("ORDER_REFUSED", "orders say already what the register says of devices with credentials");
}

async function assignmentOf(options: AssignOptions): Promise<Assignment> {
  const { point, meter: named, from, until, subtract, capacity } = options;
  if (point === undefined || named === undefined || from === undefined) {
    throw new GridsealError("USAGE", "name an assignment with --point, --meter and --from, or a file of them");
  }
  const meter = await namedMeter(options, named);
  return { point, meter, from_s: from, until_s: until, sign: subtract ? -1 : 1, capacity };
}

/** Rejects with FILE_INVALID where a line is none. */
async function readAssignments(file: string, options: AssignOptions): Promise<Assignment[]> {
  const text = new TextDecoder().decode(await readWhole(file, FILE_BYTES_MAX));
  const lines = text.split(/\r?\n/).map((line, index) => ({ line, number: index + 1 }));
  const assignments: Assignment[] = [];
  for (const { line, number } of lines.filter((each) => each.line !== "")) {
    try {
      assignments.push(await assignmentIn(line.split(","), options));
    } catch (error) {
      throw new GridsealError("FILE_INVALID", `line ${number} of ${file} is no assignment: ${reasonOf(error)}`);
    }
  }
  return assignments;
}

async function assignmentIn(fields: readonly string[], options: AssignOptions): Promise<Assignment> {
  const [point = "", meter = "", from = "", until = "", sign = "", capacity = "", ...more] = fields;
  if (more.length > 0) throw new InvalidArgumentError("it has more than six fields");
  if (sign !== "" && sign !== "+" && sign !== "-") throw new InvalidArgumentError("its fifth field is neither + nor -");
  return {
    ...{ point: pointId(point), meter: await namedMeter(options, meter), from_s: moment(from) },
    until_s: until === "" ? undefined : moment(until),
    sign: sign === "-" ? -1 : 1,
    capacity: capacity === "" ? undefined : capacityOf(capacity),
  };
}

function pointId(text: string): string {
  try {
    return asPoint(text, "a point's ID");
  } catch (error) {
    throw new InvalidArgumentError(`${reasonOf(error)}.`);
  }
}

function capacityOf(text: string): bigint {
  if (!/^[1-9][0-9]{0,17}$/.test(text)) throw new InvalidArgumentError("It must be a number of mWh.");
  return BigInt(text);
}

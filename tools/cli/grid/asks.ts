// `gridseal grid network | schedule | countersign`: what grid operator and dispatcher ask of the dispatch contract, signed into their
// folders.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { sha256 } from "../../../src/wire/hash.js";
import { encodeValue, type Value } from "../../../src/wire/value.js";
import { canonicalText } from "../../dispatch/contract/canonical.js";
import { operationTypes } from "../../dispatch/contract/kinds.js";
import { gridFrom, gridLists } from "../../dispatch/grid.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readCsv } from "../../files/csv.js";
import { readWhole } from "../../files/made-once.js";
import { moment, whole } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { signIn } from "../operation/sign.js";
import { readGridValue } from "./network-file.js";

interface AskOptions {
  readonly as: string;
  readonly service: string;
  readonly json?: true;
}

/** Bytes of a part, which is one value of the state. */
const PART_BYTES_MAX = 12_000;
const ROWS_BYTES_MAX = 1_048_576;

export function registerAsks(grid: Command): void {
  withSigner(
    grid.command("network").description("sign the network that schedules are checked on, as the grid operator"),
  )
    .argument("<file>", "the grid, JSON")
    .action(network);
  withSigner(
    grid.command("schedule").description("sign what points feed in within a slot, as dispatcher or grid operator"),
  )
    .argument("<file>", "rows POINT,ENERGY,TRADE,PARTICIPANT: mWh, negative where taken; without a trade a forecast")
    .requiredOption("--slot <time>", "begin of the slot, as 2026-10-01T10:00:00Z", moment)
    .action(schedule);
  withSigner(grid.command("countersign").description("sign transmission contracts, as the grid operator"))
    .argument("<number...>", "their numbers, as verdicts name them", numbers)
    .action((list: readonly number[], options: AskOptions) =>
      sign(operationTypes.countersign, [{ numbers: list }], options),
    );
}

function withSigner(command: Command): Command {
  return command
    .requiredOption("--as <dir>", "folder of who asks: key.json, genesis.cbor, credential.cbor")
    .option("--service <name>", "name or number of the chain's service", "dispatch")
    .option("--json", "print JSON");
}

async function sign(type: number, bodies: readonly Value[], options: AskOptions, hash?: string): Promise<void> {
  for (const body of bodies) await signIn(options.as, options.service, { type, body });
  printLines(
    options.json
      ? [toJson({ type, operations: bodies.length, ...(hash !== undefined && { hash }) })]
      : [
          `${bodies.length} ${bodies.length === 1 ? "operation is" : "operations are"} signed${hash === undefined ? "" : `: network ${hash}`}`,
          `next: gridseal operation submit --as ${options.as} --api URL --wait`,
        ],
  );
}

async function network(path: string, options: AskOptions): Promise<void> {
  const { deliveries: _, ...stated } = (await readGridValue(path)) as { readonly [name: string]: Value };
  let hash: string;
  try {
    gridFrom(stated);
    hash = toHex(sha256(new TextEncoder().encode(canonicalText(stated))));
  } catch (cause) {
    throw new GridsealError("GRID_INVALID", `${path} is no grid: ${reasonOf(cause)}`, { cause });
  }
  const parts = partsOf(stated);
  const bodies = parts.map((fields, part) => ({ part, of: parts.length, hash, ...fields }));
  await sign(operationTypes.network, bodies, options, hash);
}

/** A network cut into parts; the lists of all parts, one behind the other, are its lists. */
export function partsOf(stated: { readonly [name: string]: Value }): readonly { readonly [name: string]: Value }[] {
  const scalars: { [name: string]: Value } = { ...stated };
  for (const list of gridLists) delete scalars[list];
  const parts = [scalars];
  let bytes = encodeValue(scalars).length;
  for (const list of gridLists) {
    for (const element of (stated[list] ?? []) as readonly Value[]) {
      const size = encodeValue(element).length;
      if (bytes + size > PART_BYTES_MAX) {
        parts.push({});
        bytes = 0;
      }
      const part = parts.at(-1)!;
      part[list] = [...((part[list] ?? []) as readonly Value[]), element];
      bytes += size + list.length;
    }
  }
  // A list without elements is one all the same: the hash is of what is stated.
  for (const list of gridLists) if (Array.isArray(stated[list])) parts.at(-1)![list] ??= [];
  return parts;
}

interface ScheduleOptions extends AskOptions {
  readonly slot: number;
}

async function schedule(path: string, { slot, ...options }: ScheduleOptions): Promise<void> {
  const text = new TextDecoder().decode(await readWhole(path, ROWS_BYTES_MAX));
  const rows = readCsv(text).map(({ line, cells }) => {
    const [point = "", energy = "", trade = "", participant = ""] = cells;
    if (!/^-?\d{1,12}$/.test(energy)) {
      throw new GridsealError("GRID_INVALID", `${path}, line ${line}: ${JSON.stringify(energy)} is no energy in mWh`);
    }
    return [point, Number(energy), trade === "" ? null : trade, participant === "" ? null : participant];
  });
  await sign(operationTypes.schedule, [{ slot_s: slot, rows }], options);
}

function numbers(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, whole(0, Number.MAX_SAFE_INTEGER)(text)];
}

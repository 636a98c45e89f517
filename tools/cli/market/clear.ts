// `gridseal market clear`: the price at which a slot's bids clear, and what trades of each.

import { type Command, InvalidArgumentError, Option } from "commander";
import { GridsealError, reasonOf } from "../../errors.js";
import { readCsv } from "../../files/csv.js";
import { readWhole } from "../../files/made-once.js";
import { type Bid, type Clearing, clear, type Tie, ties } from "../../market/auction.js";
import { printLines, table, toJson } from "../../terminal/output.js";

interface ClearOptions {
  readonly floor: bigint;
  readonly cap: bigint;
  readonly tie?: Tie | undefined;
  readonly json?: true;
}

const BIDS_BYTES_MAX = 67_108_864;
const COLUMNS = "side,price,volume";
const PREFERRED = "preferred";
/** What the first row may be. */
const heads: readonly string[] = [COLUMNS, `${COLUMNS},${PREFERRED}`];

export function registerClear(market: Command): void {
  market
    .command("clear")
    .description("the price at which a slot's bids clear, and what trades of each")
    .argument(
      "<bids>",
      `rows ${COLUMNS} in the order of time: buy or sell, whole numbers, volume in mWh; then perhaps ${PREFERRED}, yes or no`,
    )
    .requiredOption("--floor <price>", "lowest price", price)
    .requiredOption("--cap <price>", "highest price", price)
    .addOption(new Option("--tie <rule>", "who is served first of bids at one price; time where absent").choices(ties))
    .option("--json", "print JSON")
    .action(clearFile);
}

async function clearFile(path: string, { floor, cap, tie, json }: ClearOptions): Promise<void> {
  if (floor > cap) throw new GridsealError("USAGE", `the floor ${floor} is above the cap ${cap}`);
  const bytes = await readWhole(path, BIDS_BYTES_MAX);
  const bids = bidsOf(path, bytes, { floor, cap, tie });
  const clearing = clear(bids, { floor, cap, ...(tie !== undefined && { tie }) });
  printLines(json ? [toJson(clearing)] : linesOf(bids, clearing));
}

function bidsOf(path: string, bytes: Uint8Array, band: Pick<ClearOptions, "floor" | "cap" | "tie">): Bid[] {
  try {
    const [head, ...rows] = readCsv(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (!heads.includes(head?.cells.join(",") ?? "")) throw new Error(`its first row is not ${heads.join(" or ")}`);
    if (band.tie === "reward" && !head?.cells.includes(PREFERRED))
      throw new Error(`--tie reward asks who is preferred, and it has no column ${PREFERRED}: add one of yes and no`);
    return rows.map(({ line, cells: [side, price = "", volume = "", preferred = "no"] }) => {
      if (side !== "buy" && side !== "sell") throw new Error(`line ${line}: side is neither buy nor sell`);
      if (!/^-?\d{1,18}$/.test(price)) throw new Error(`line ${line}: price is no whole number`);
      if (!/^\d{1,18}$/.test(volume)) throw new Error(`line ${line}: volume is no whole number of mWh`);
      if (preferred !== "yes" && preferred !== "no")
        throw new Error(`line ${line}: ${PREFERRED} is neither yes nor no`);
      const isPreferred = preferred === "yes";
      const bid: Bid = { side, price: BigInt(price), volume: BigInt(volume), isPreferred };
      if (bid.price < band.floor || bid.price > band.cap) throw new Error(`line ${line}: price is beyond floor or cap`);
      return bid;
    });
  } catch (cause) {
    throw new GridsealError("REPORT_INVALID", `${path} holds no bids: ${reasonOf(cause)}`, { cause });
  }
}

function linesOf(bids: readonly Bid[], { price, volume, fills }: Clearing): string[] {
  const rows = bids.map((bid, index) => [index + 1, bid.side, `${bid.price}`, `${bid.volume}`, `${fills[index]}`]);
  return [
    ...table(["BID", "SIDE", "PRICE", "VOLUME mWh", "TRADES mWh"], rows),
    price === null ? "nothing trades" : `price ${price}, volume ${volume} mWh`,
  ];
}

function price(text: string): bigint {
  if (/^-?\d{1,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("It must be a whole number.");
}

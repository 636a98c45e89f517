// `gridseal authority order ...` makes orders of the authority, `gridseal order submit` and `order list` bring them to the network and
// show what is sealed; `gridseal node ready` is a node's consent to become a member.

import type { Command } from "commander";
import { SERVICE_MAX } from "../../src/wire/bounds.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { idFromText } from "../../src/wire/key.js";
import { type Action, ORDER_BYTES_MAX, type Order, readOrder } from "../../src/wire/order.js";
import { governanceOf, membersAction, readReady, writeOrder } from "../authority/orders.js";
import { GridsealError, reasonOf } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { readWhole } from "../files/made-once.js";
import { type Governance, initialGovernance } from "../ledger/governance.js";
import { postOrder } from "../sources/api.js";
import type { SourceOptions } from "../sources/open.js";
import { openNodeSource } from "../sources/open.js";
import type { ReceiptSource } from "../sources/source.js";
import { compactTarget, id, several, whole, withNode } from "../terminal/arguments.js";
import { printLines, table, timeText, toJson } from "../terminal/output.js";

interface MakeOptions {
  readonly network: string;
  readonly out: string;
  readonly number?: number;
  readonly api?: string;
  readonly data?: string;
  readonly json?: true;
}

interface MembersOptions extends MakeOptions {
  readonly effective: number;
  readonly admit?: string;
  readonly remove?: Uint8Array;
}

interface ChainOptions extends MakeOptions {
  readonly member: readonly string[];
  readonly target: number;
}

/** How long a submitted order is waited for. */
const SEALED_WITHIN_MS = 60_000;
const POLL_MS = 500;

const service = whole(1, SERVICE_MAX);

export function registerAuthorityOrders(authority: Command): void {
  const order = authority
    .command("order")
    .description("sign an order: members of a chain, a new chain, revoked meters, banned nodes");
  making(order.command("members").description("admit a node to a chain, remove one, or put one in another's place"))
    .argument("<service>", "number of the chain's service", service)
    .requiredOption("--effective <height>", "the first height that the new members seal", whole(2, 2 ** 40))
    .option("--admit <file>", "READY of the node to admit, from `gridseal node ready`")
    .option("--remove <id>", "id of the node to remove", id)
    .action(orderMembers);
  making(order.command("chain").description("add a chain among nodes of the network"))
    .argument("<service>", "number of its service", service)
    .argument("<name>", "its name")
    .requiredOption("--member <id>", "a member's id, in the order in which they propose (repeatable)", several)
    .option("--target <hex>", "difficulty, compact; 00000000 for none", compactTarget, 0)
    .action(orderChain);
  making(order.command("revoke").description("revoke meters: no node takes new records of them"))
    .argument("<meter...>", "ids of the meters")
    .action(orderRevoke);
  making(order.command("ban").description("ban nodes that are no members: no node keeps a link to them"))
    .argument("<node...>", "ids of the nodes")
    .action(orderBan);
}

export function registerOrder(program: Command): void {
  const order = program.command("order").description("orders of the authority");
  order
    .command("submit")
    .description("bring an order to the network and wait until it is sealed")
    .argument("<file>", "order that the authority has signed")
    .requiredOption("--api <url>", "API of a node that serves the contracts chain, http://host:port")
    .requiredOption("--genesis <file>", "the network's genesis")
    .option("--json", "print JSON")
    .action(submit);
  withNode(order.command("list").description("list the sealed orders")).option("--json", "print JSON").action(list);
}

function making(command: Command): Command {
  return command
    .requiredOption("--network <dir>", "folder of the network, with its authority")
    .requiredOption("-o, --out <file>", "file to make")
    .option("--number <number>", "the order's number; the next one where absent", whole(1, 2 ** 40))
    .option("--api <url>", "API of a node, to know the orders before; the first order needs none")
    .option("--data <dir>", "a node's data folder instead")
    .option("--json", "print JSON");
}

async function orderMembers(chain: number, options: MembersOptions): Promise<void> {
  const governance = await governanceFor(options);
  const admit = options.admit === undefined ? undefined : await readReady(options.admit, governance.genesis);
  if (admit === undefined && options.remove === undefined) {
    throw new GridsealError("USAGE", "name a node to --admit, one to --remove, or both");
  }
  await make(
    membersAction(governance, chain, options.effective, { admit, remove: options.remove }),
    governance,
    options,
  );
}

async function orderChain(number: number, name: string, options: ChainOptions): Promise<void> {
  const governance = await governanceFor(options);
  const members = options.member.map((text) => {
    const member = governance.nodes.get(text);
    if (member === undefined) {
      const known = [...governance.nodes].map(([id, node]) => `${node.name} ${id}`).join(", ");
      throw new GridsealError("USAGE", `${text} is no id of a node of the network, which has ${known}`);
    }
    return member;
  });
  await make({ type: "chain", service: number, name, members, target: options.target }, governance, options);
}

async function orderRevoke(meters: readonly string[], options: MakeOptions): Promise<void> {
  const ids = idsOf(meters, "issued.jsonl of the authority has each meter's");
  await make({ type: "revoke", meters: ids }, await governanceFor(options), options);
}

async function orderBan(nodes: readonly string[], options: MakeOptions): Promise<void> {
  const ids = idsOf(nodes, "GET /health of a node says its own");
  await make({ type: "ban", nodes: ids }, await governanceFor(options), options);
}

/** The ids, each once, in order; `where` says where a person finds one. */
function idsOf(texts: readonly string[], where: string): Uint8Array[] {
  return [...new Set(texts)].sort().map((text) => {
    const bytes = idFromText(text);
    if (bytes !== undefined) return bytes;
    throw new GridsealError("USAGE", `${text} is no id, which has 16 lower-case hex digits: ${where}`);
  });
}

async function make(action: Action, governance: Governance, options: MakeOptions): Promise<void> {
  const order = await writeOrder(options.network, governance, action, {
    number: options.number,
    out: options.out,
    now: new Date(),
  });
  const view = orderView(order);
  printLines([
    options.json ? toJson({ file: options.out, ...view }) : `${options.out}: order ${order.number}, ${view.what}`,
  ]);
}

/** What is sealed so far: of the node that the options name, else nothing. */
export async function governanceFor(options: Pick<MakeOptions, "network" | "api" | "data">): Promise<Governance> {
  const { genesis } = await readGenesisFile(`${options.network}/genesis.cbor`);
  if (options.api === undefined && options.data === undefined) return initialGovernance(genesis);
  const path = `${options.network}/genesis.cbor`;
  return withSource({ ...options, genesis: path }, (source) => governanceOf(genesis, source.orders()));
}

async function withSource<T>(options: SourceOptions, use: (source: ReceiptSource) => Promise<T>): Promise<T> {
  const source = await openNodeSource(options);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

async function submit(
  file: string,
  options: { readonly api: string; readonly genesis: string; readonly json?: true },
): Promise<void> {
  const { genesis } = await readGenesisFile(options.genesis);
  const bytes = await readWhole(file, ORDER_BYTES_MAX);
  let order: Order;
  try {
    order = readOrder(bytes, genesis);
  } catch (cause) {
    throw new GridsealError("ORDER_REFUSED", `${file} is no order for this network: ${reasonOf(cause)}`, { cause });
  }
  // Submitted a second time, it is where it was.
  const before = await withSource({ api: options.api }, (source) => sealedAs(source, order.number));
  if (before === undefined || !equalBytes(before.bytes, bytes)) await postOrder(options.api, bytes);
  const contractsHeight = await withSource({ api: options.api }, (source) =>
    waitUntilSealed(source, order.number, bytes),
  );
  const view = { ...orderView(order), contractsHeight };
  printLines([
    options.json ? toJson(view) : `order ${order.number} is sealed in contracts block ${contractsHeight}: ${view.what}`,
  ]);
}

/** The sealed order of this number. */
async function sealedAs(source: ReceiptSource, number: number) {
  let next = 1;
  for await (const sealed of source.orders()) {
    if (next === number) return sealed;
    next += 1;
  }
  return undefined;
}

async function waitUntilSealed(source: ReceiptSource, number: number, bytes: Uint8Array): Promise<number> {
  const end_ms = Date.now() + SEALED_WITHIN_MS;
  while (Date.now() < end_ms) {
    const sealed = await sealedAs(source, number);
    if (sealed !== undefined) {
      if (equalBytes(sealed.bytes, bytes)) return sealed.contractsHeight;
      throw new GridsealError("ORDER_REFUSED", `another order ${number} was sealed in its place`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new GridsealError(
    "NODE_UNREACHABLE",
    `order ${number} was taken and is not sealed yet: too few nodes may be up`,
  );
}

async function list(options: SourceOptions & { readonly json?: true }): Promise<void> {
  if (options.genesis === undefined)
    throw new GridsealError("USAGE", "name the genesis with --genesis: orders are checked by it");
  const { genesis } = await readGenesisFile(options.genesis);
  const rows = await withSource(options, async (source) => {
    const sealed: { readonly contractsHeight: number; readonly order: Order }[] = [];
    const noted = async function* () {
      for await (const row of source.orders()) {
        yield row;
        sealed.push({ contractsHeight: row.contractsHeight, order: readOrder(row.bytes, genesis) });
      }
    };
    await governanceOf(genesis, noted());
    return sealed;
  });
  const views = rows.map(({ contractsHeight, order }) => ({ ...orderView(order), contractsHeight }));
  if (options.json) {
    printLines([toJson(views)]);
    return;
  }
  const lines = views.map(({ number, contractsHeight, time_s, what }) => [
    number,
    contractsHeight,
    timeText(time_s * 1_000),
    what,
  ]);
  printLines(table(["ORDER", "CONTRACTS BLOCK", "SIGNED AT", "SAYS"], lines));
}

/** An order as it is printed: its fields, and one line of what it says. */
export function orderView({ number, time_s, action }: Order) {
  return { number, time_s, action, what: whatItSays(action) };
}

function whatItSays(action: Action): string {
  const names = (members: readonly { readonly id: Uint8Array; readonly name: string }[]) =>
    members.map((member) => `${member.name} ${toHex(member.id)}`).join(", ");
  switch (action.type) {
    case "members":
      return `chain ${action.chain} from height ${action.effectiveHeight} on: ${names(action.members)}`;
    case "chain":
      return `new chain ${action.name} (${action.service}): ${names(action.members)}`;
    case "revoke":
      return `revoked: ${action.meters.map(toHex).join(", ")}`;
    case "ban":
      return `banned: ${action.nodes.map(toHex).join(", ")}`;
  }
}

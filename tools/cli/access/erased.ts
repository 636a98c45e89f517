// `gridseal access erased`: what members say they have erased of a meter, each signed by itself; the file that it makes is the
// certificate of the erasure. `gridseal access certificate` checks such a file without any node.

import { Readable } from "node:stream";
import type { Command } from "commander";
import { concatBytes, toHex } from "../../../src/wire/bytes.js";
import { type Erased, verifyErased } from "../../../src/wire/erased.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { createFile, readWhole } from "../../files/made-once.js";
import { readParticipant } from "../../files/operations/participant-folder.js";
import { erasedBy } from "../../sources/erasures.js";
import { splitSequence } from "../../sources/sequence.js";
import { several } from "../../terminal/arguments.js";
import { printLines, secondText, toJson } from "../../terminal/output.js";
import { serviceNumber } from "../operation/sign.js";
import { keyIdOf } from "./key-id.js";
import { dayText } from "./sign-access.js";

interface ErasedOptions {
  readonly as: string;
  readonly service: string;
  readonly meter: string;
  readonly api: readonly string[];
  readonly out?: string;
  readonly json?: true;
}

/** 128 members, and more than a thousand erasures of one meter. */
const CERTIFICATE_BYTES_MAX = 33_554_432;

export function registerErased(access: Command): void {
  access
    .command("erased")
    .description("what members say they have erased of a meter, checked")
    .requiredOption("--as <dir>", "folder of the participant")
    .requiredOption("--service <name>", "name or number of the service")
    .requiredOption("--meter <meter>", "the meter, by its ID or key id")
    .requiredOption("--api <url>", "API of a member of the chain; each of them, for a whole certificate", several)
    .option("-o, --out <file>", "certificate to make")
    .option("--json", "print JSON, a line a statement")
    .action(erased);
}

export function registerCertificate(access: Command): void {
  access
    .command("certificate")
    .description("check a certificate of an erasure with nothing but the genesis")
    .argument("<file>", "as `access erased -o` has made it")
    .requiredOption("--genesis <file>", "the network's genesis")
    .option("--json", "print JSON, a line a statement")
    .action(certificate);
}

async function erased({ as, meter: named, api, out, json, ...options }: ErasedOptions): Promise<void> {
  const { genesis, tokenFor } = await readParticipant(as);
  const service = serviceNumber(genesis, options.service);
  const meter = await keyIdOf(named, { as, api: api[0]! });
  const statements: Uint8Array[] = [];
  const said: Erased[] = [];
  let size = 0;
  for (const url of api) {
    // Each is checked as it comes: a node that says anything else is left at once, and cannot make this grow.
    for await (const bytes of erasedBy(url, { service, meter }, tokenFor)) {
      size += bytes.length;
      if (size > CERTIFICATE_BYTES_MAX)
        throw new GridsealError("ERASURE_UNPROVED", `${url} states more than there can be`);
      said.push(checked(genesis, bytes, url));
      statements.push(bytes);
    }
  }
  const foreign = said.find((each) => each.chain !== service || toHex(each.meter) !== meter);
  if (foreign !== undefined) {
    throw new GridsealError(
      "ERASURE_UNPROVED",
      `node ${toHex(foreign.node)} states an erasure of another meter or chain`,
    );
  }
  if (said.length === 0)
    throw new GridsealError("ERASURE_UNPROVED", `no node says that it has erased anything of ${meter}`);
  if (out !== undefined) await createFile(out, concatBytes(...statements));
  printLines([...said.map((each) => lineOf(genesis, each, json)), ...missingLines(genesis, said, json)]);
}

/** Rejects with ERASURE_UNPROVED where the file holds anything else than statements, or none. */
export async function certificate(
  file: string,
  options: { readonly genesis: string; readonly json?: true },
): Promise<void> {
  const { genesis } = await readGenesisFile(options.genesis);
  const bytes = await readWhole(file, CERTIFICATE_BYTES_MAX);
  const said: Erased[] = [];
  try {
    for await (const statement of splitSequence(Readable.from([bytes]))) {
      said.push(checked(genesis, statement, file));
      printLines([lineOf(genesis, said.at(-1)!, options.json)]);
    }
  } catch (cause) {
    if (cause instanceof GridsealError) throw cause;
    throw new GridsealError("ERASURE_UNPROVED", `${file} is no certificate of an erasure: ${reasonOf(cause)}`, {
      cause,
    });
  }
  if (said.length === 0) throw new GridsealError("ERASURE_UNPROVED", `${file} holds no statement of an erasure`);
  printLines(missingLines(genesis, said, options.json));
}

/** Which of the members that the genesis names have not stated which erasure: what they keep may be there still. */
export function missingMembers(
  { chains, nodes }: Pick<Genesis, "chains" | "nodes">,
  said: readonly Erased[],
): readonly { readonly erasure: string; readonly missing: readonly string[] }[] {
  const byErasure = new Map<string, Erased[]>();
  for (const each of said) {
    const name = `${each.erasure} of ${toHex(each.meter)}`;
    byErasure.set(name, [...(byErasure.get(name) ?? []), each]);
  }
  return [...byErasure.values()].flatMap((all) => {
    const { chain, erasure } = all[0]!;
    const members = chains.find(({ service }) => service === chain)?.members ?? [];
    const ids = new Set(all.map(({ node }) => toHex(node)));
    const missing = members.filter(({ id }) => !ids.has(toHex(id)));
    const nameOf = (id: string) => nodes.find((node) => toHex(node.id) === id)?.name ?? id;
    return missing.length === 0 ? [] : [{ erasure, missing: missing.map(({ id }) => nameOf(toHex(id))) }];
  });
}

function missingLines(genesis: Genesis, said: readonly Erased[], json: true | undefined): string[] {
  return missingMembers(genesis, said).map(({ erasure, missing }) => {
    if (json) return toJson({ erasure, missing });
    const who = missing.length === 1 ? "has not stated it, and may keep" : "have not stated it, and may keep";
    return `${erasure}: ${missing.join(", ")} ${who} what it was given: ask each member with --api`;
  });
}

/** The statement of a node of the genesis. */
function checked(genesis: Genesis, bytes: Uint8Array, origin: string): Erased {
  const keyOf = (node: Uint8Array) => genesis.nodes.find(({ id }) => toHex(id) === toHex(node))?.key;
  try {
    return verifyErased(genesis.hash, bytes, keyOf, nodeVerify);
  } catch (cause) {
    throw new GridsealError(
      "ERASURE_UNPROVED",
      `${origin}: a statement of an erasure proves nothing: ${reasonOf(cause)}`,
      {
        cause,
      },
    );
  }
}

function lineOf({ nodes }: Genesis, erased: Erased, json: true | undefined): string {
  const { node, meter, from, until, erasure, envelopes, disclosures, time_s } = erased;
  const name = nodes.find(({ id }) => toHex(id) === toHex(node))?.name ?? toHex(node);
  if (json) return toJson({ ...erased, node: toHex(node), meter: toHex(meter) });
  const days = `${dayText(from)} to ${dayText(until)}`;
  return `${name}  ${secondText(time_s)}  ${erasure}  meter ${toHex(meter)}  ${days}  ${envelopes} envelopes, ${disclosures} records' disclosures`;
}

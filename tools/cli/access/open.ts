// `gridseal access open`: what a grant delivers, opened and proved: shares from several nodes, records from one of them, or of
// more where that one's do not open.

import { type Command, Option } from "commander";
import { formatObis } from "../../../src/meter/obis.js";
import { toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { chainOf } from "../../../src/wire/genesis.js";
import { sha256 } from "../../../src/wire/hash.js";
import { faults } from "../../../src/wire/quorum.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError } from "../../errors.js";
import { csvRow } from "../../files/csv.js";
import { createFile } from "../../files/made-once.js";
import { type Identity, readParticipant } from "../../files/operations/participant-folder.js";
import { SECRET } from "../../files/private-files.js";
import { openApiSource } from "../../sources/api.js";
import { type GrantSource, openGrantSource, type StatedGrant } from "../../sources/grants.js";
import { openGroupGrantSource } from "../../sources/group-grants.js";
import { several } from "../../terminal/arguments.js";
import { printLines, printNote, printText, toJson } from "../../terminal/output.js";
import { serviceNumber } from "../operation/sign.js";
import { askSeveral } from "./asking.js";
import { type Delivering, openGranted } from "./granted-days.js";
import { type AgreedSums, agreedSums, type Computing, computingAt, type SumsTerms } from "./group-sums.js";
import { deliveryKeysIn } from "./key.js";
import type { Opened } from "./open-days.js";
import { signedSums, slotViews, sumsText } from "./open-sums.js";
import type { OpenedValue, Opening } from "./opening.js";
import { sealVerifier } from "./seals.js";

interface OpenOptions {
  readonly as: string;
  readonly service: string;
  readonly api: readonly string[];
  readonly form: Form;
  readonly out?: string;
}

const forms = ["json", "csv", "cbor"] as const;
type Form = (typeof forms)[number];

export function registerOpen(access: Command): void {
  access
    .command("open")
    .description("open what a grant delivers, and prove each value")
    .argument("<request>", "as `access request` has named it")
    .requiredOption("--as <dir>", "folder of the participant, with its delivery key")
    .requiredOption("--service <name>", "name or number of the service")
    .requiredOption("--api <url>", "API of a member of the chain; f + 1 of them, two at least", several)
    .addOption(
      new Option("--form <name>", "JSON lines, a table, or proofs in CBOR")
        .choices(forms)
        .default("json" satisfies Form),
    )
    .option("-o, --out <file>", "file to make; needed for CBOR")
    .action(open);
}

async function open(request: string, options: OpenOptions): Promise<void> {
  const { form, out } = options;
  if (form === "cbor" && out === undefined) throw new GridsealError("USAGE", "CBOR goes to a file: name it by -o");
  const participant = await readParticipant(options.as);
  const ofGroup = await groupOf(participant, request, options);
  if (ofGroup !== undefined) return openGroup(ofGroup, options);
  const { values, closed, complaints } = await openAll(participant, request, options);
  for (const complaint of complaints) warn(complaint);
  if (values.length === 0) {
    const why = closed > 0 ? `too few custodians gave their shares for ${closed} records` : "nothing was delivered";
    throw new GridsealError("GRANT_CLOSED", `grant ${request} opens nothing: ${why}`);
  }
  if (closed > 0) warn(`${closed} records stay closed: ask more nodes`);
  if (out === undefined) return printText(textOf(values, form));
  await createFile(out, form === "cbor" ? proofsOf(values) : new TextEncoder().encode(textOf(values, form)), SECRET);
  printLines([`${out} has ${values.length} values, each proved`]);
}

interface OfGroup {
  readonly terms: SumsTerms;
  readonly nodes: readonly Computing[];
}

/** Those nodes that have a grant of sums over a group in force; undefined where none has. */
async function groupOf(
  { genesis, tokenFor }: Identity,
  request: string,
  options: OpenOptions,
): Promise<OfGroup | undefined> {
  const service = serviceNumber(genesis, options.service);
  const urls = [...new Set(options.api)];
  const sources = urls.map((url) => openGroupGrantSource(url, { service, grant: request }, tokenFor));
  const nodes = await computingAt(sources);
  const [first] = nodes;
  if (first === undefined) return undefined;
  const lineage = await openApiSource(first.source.origin, tokenFor).lineage(service);
  const terms = { genesis, keys: await deliveryKeysIn(options.as), service, request, lineage };
  return { terms, nodes };
}

async function openGroup({ terms, nodes }: OfGroup, { form, out }: OpenOptions): Promise<void> {
  const complaints: string[] = [];
  const all: AgreedSums[] = [];
  try {
    for await (const agreed of agreedSums(terms, nodes, complaints)) all.push(agreed);
  } finally {
    for (const complaint of complaints) warn(complaint);
  }
  const views = all.flatMap(({ sums, grant }) => slotViews(sums, grant));
  if (views.length === 0) throw new GridsealError("GRANT_CLOSED", `grant ${terms.request} has no slot yet`);
  if (out === undefined) return printText(sumsText(views, form === "csv" ? form : "json"));
  const bytes = form === "cbor" ? signedSums(all) : new TextEncoder().encode(sumsText(views, form));
  await createFile(out, bytes, SECRET);
  printLines([`${out} has the sums of ${views.length} slots, each as enough custodians have signed it`]);
}

function textOf(values: readonly OpenedValue[], form: Form): string {
  if (form === "csv") return [csvRow(columns), ...values.map(rowOf)].join("");
  return values.map((value) => `${toJson(viewOf(value))}\n`).join("");
}

/** [record, receipt, disclosure] of each disclosure, one behind the other. */
function proofsOf(values: readonly OpenedValue[]): Uint8Array {
  const proofs = new Map<string, Uint8Array>();
  for (const { record, receipt, disclosure } of values) {
    proofs.set(toHex(sha256(disclosure)), encodeCbor([record, receipt, disclosure]));
  }
  return Uint8Array.from(Buffer.concat([...proofs.values()]));
}

async function openAll(participant: Identity, request: string, options: OpenOptions): Promise<Omit<Opened, "records">> {
  const { genesis, tokenFor } = participant;
  const service = serviceNumber(genesis, options.service);
  const keys = await deliveryKeysIn(options.as);
  const urls = [...new Set(options.api)];
  const sources = urls.map((url) => openGrantSource(url, { service, grant: request }, tokenFor));
  const complaints: string[] = [];
  const members = chainOf(genesis, service)?.members?.length;
  const needed = members === undefined ? sources.length : faults(members) + 1;
  const delivering = await deliveringAt(sources, needed, complaints);
  const [first] = delivering;
  if (first === undefined) {
    throw new GridsealError("GRANT_CLOSED", complaints[0] ?? `no node delivers on grant ${request}`);
  }
  const { meter } = first.grant;
  const lineage = await openApiSource(first.source.origin, tokenFor).lineage(service);
  const verifySeal = sealVerifier({ genesis, service, lineage, verify: nodeVerify });
  const opening: Opening = { genesis, keys, grant: request, service, meter, verifySeal, envelopes: new Map() };
  const opened = await openGranted(opening, delivering);
  return { ...opened, complaints: [...complaints, ...opened.complaints] };
}

/** Those nodes that have the grant in force: one that says it is another one takes nobody's place. */
async function deliveringAt(
  sources: readonly GrantSource[],
  needed: number,
  complaints: string[],
): Promise<readonly (Delivering & { readonly grant: StatedGrant })[]> {
  const delivering: (Delivering & { readonly grant: StatedGrant })[] = [];
  const asked = sources.map((source) => ({
    origin: source.origin,
    async ask() {
      delivering.push({ source, grant: await source.grant() });
    },
  }));
  const isEnough = () => delivering.length >= needed;
  await askSeveral(asked, { order: "together", isEnough, hearsOthers: true }, complaints);
  return [...delivering];
}

const columns = ["meter", "seq", "time", "label", "obis", "value", "scaler", "unit", "height", "record", "disclosure"];

function viewOf({ meter, seq, time_s, height, recordHash, label, register, disclosure }: OpenedValue) {
  const { obis, value, scaler, unit } = register;
  const time = new Date(1_000 * time_s).toISOString();
  const proof = { height, record: recordHash, disclosure: toHex(disclosure) };
  return { meter, seq, time, label, obis: formatObis(obis), value, scaler, unit, ...proof };
}

function rowOf(value: OpenedValue): string {
  const view = viewOf(value) as Readonly<Record<string, unknown>>;
  return csvRow(columns.map((column) => String(view[column])));
}

function warn(line: string): void {
  printNote(line);
}

// `gridseal violation show`: one with what proves it, held to the block that seals it where the genesis is named.

import { type Command, InvalidArgumentError } from "commander";
import { blockTree, decodeBlock } from "../../../src/wire/block.js";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { decodeHeader, headerHash } from "../../../src/wire/header.js";
import { lineageUpTo } from "../../../src/wire/lineage.js";
import { rootOfLevels } from "../../../src/wire/merkle.js";
import { verifySealBehind } from "../../../src/wire/receipt.js";
import { violationDetail } from "../../contracts/told-violation.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { violationView } from "../../ledger/violation-place.js";
import { decodeResults } from "../../ledger/violations.js";
import type { ViolationShown } from "../../routes/violations.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import type { ReceiptSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { pairs, printLines, timeText, toJson } from "../../terminal/output.js";
import { entryShown } from "../entry-shown.js";
import { checkedText, toldText } from "../told.js";

export function registerShow(violation: Command): void {
  withNode(
    violation
      .command("show")
      .description("show a violation with what proves it; --genesis holds it to its sealed block"),
  )
    .argument("<violation>", "service:height:index, as the list has it", violationName)
    .option("--json", "print JSON")
    .action(show);
}

async function show(name: string, options: SourceOptions & { readonly json?: true }): Promise<void> {
  await withNodeSource(options, async (source) => {
    const shown = await source.violation(name).catch(hiddenIn);
    if (shown instanceof GridsealError) return printHidden(name, shown, options.json);
    const sealed = options.genesis === undefined ? undefined : await checkSealed(source, shown, options.genesis);
    const header = sealed?.header;
    if (options.json) {
      printLines([toJson({ ...shown, ...(header !== undefined && { checked: true, header }) })]);
      return;
    }
    const { kind, subject, number, rule, entry, state, service, height, time_ms, detail } = shown;
    printLines(
      pairs([
        ["violation", name],
        ["kind", kind],
        [subjectName(kind), subject],
        ...(number === null ? [] : [[numberName(kind), number] as const]),
        ...(rule === null ? [] : [["rule", rule] as const]),
        ...(entry === null ? [] : [["entry", entryShown(entry)] as const]),
        ...Object.entries(detail).map(([field, value]) => [field, toJson(value)] as const),
        ["state", state],
        ["block", `${height} of chain ${service}`],
        ["timestamp", timeText(time_ms)],
        [
          "sealed",
          sealed === undefined
            ? toldText(source.origin, "--genesis FILE holds it to its sealed block")
            : checkedText(`in block ${toHex(sealed.header)}`, sealed.genesis),
        ],
      ]),
    );
  });
}

/** Who asks may not see it, which is an answer; rejects with anything else. */
function hiddenIn(error: unknown): GridsealError {
  if (error instanceof GridsealError && error.code === "NOT_ADMITTED") return error;
  throw error;
}

/** Why it is not shown, who may see it, and what to do. */
function printHidden(name: string, { message, remedy }: GridsealError, json: true | undefined): void {
  const shown = { violation: name, shown: false, reason: message, remedy };
  printLines(
    json
      ? [toJson(shown)]
      : pairs([
          ["violation", name],
          ["not shown to you", message],
          ["next", remedy],
        ]),
  );
  process.exitCode = 1;
}

/**
 * The hash of the block that says it, and by which genesis: its members have signed it, and its results have this violation. Throws CHAIN_INVALID where
 * they do not, BLOCK_PRUNED where the node has let go of the block.
 */
async function checkSealed(
  source: ReceiptSource,
  shown: ViolationShown,
  genesisFile: string,
): Promise<{ readonly header: Uint8Array; readonly genesis: Genesis }> {
  const { service, height, index, id } = shown;
  const { genesis } = await readGenesisFile(genesisFile);
  const bytes = await source.block(service, height);
  try {
    if (bytes === undefined) throw new Error(`there is no block ${height}`);
    const block = decodeBlock(bytes);
    if (block.network !== genesis.network || block.chain !== service || block.height !== height) {
      throw new Error("the block is another one");
    }
    verifySealBehind(block, genesis, nodeVerify, lineageUpTo(await source.lineage(service), height));
    if (!equalBytes(rootOfLevels(blockTree(block)), decodeHeader(block.header).merkleRoot)) {
      throw new Error("the block's content is not what its members have sealed");
    }
    const violation = decodeResults(block.results).violations[index];
    if (violation === undefined) throw new Error("the block does not say it");
    const sealed = {
      ...violationView({ violation, time_ms: block.time_ms, service, height, index }),
      detail: violationDetail(violation),
    };
    // What has become of it since is the contract's to say; fields may stand in another order where they came as JSON.
    const { state: _, ...said } = shown;
    if (canonical(sealed) !== canonical(said)) throw new Error("the block says something else");
    return { header: headerHash(block.header), genesis };
  } catch (cause) {
    if (cause instanceof GridsealError) throw cause;
    throw new GridsealError("CHAIN_INVALID", `${source.origin}: ${id} is not sealed: ${reasonOf(cause)}`, { cause });
  }
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

function subjectName(kind: ViolationShown["kind"]): string {
  if (kind === "contract") return "against";
  return kind === "equivocation" || kind === "falseAcknowledgement" ? "node" : "meter";
}

function numberName(kind: ViolationShown["kind"]): string {
  if (kind === "equivocation") return "height";
  return kind === "falseAcknowledgement" ? "temporary block" : "record";
}

function violationName(text: string): string {
  if (/^[0-9]{1,5}:[0-9]{1,13}:[0-9]{1,6}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be SERVICE:HEIGHT:INDEX.");
}

// Replays a chain beside the page, so that the page stays at its reader's hand. It asks the node by itself, and it alone may compile the
// engine: its own content policy permits that (tools/node/api/resources/explorer.ts).

import { BLOCK_BYTES_MAX } from "../../../src/wire/block.js";
import { entryText } from "../../../src/wire/entry.js";
import { WireError } from "../../../src/wire/error.js";
import { callText } from "../../contracts/call-text.js";
import { createEngine } from "../../contracts/engine.js";
import { type HeldRun, kindOf } from "../../contracts/replayed-runs.js";
import { reasonOf } from "../../errors.js";
import { failures } from "../../ledger/outcome.js";
import { blocks as blocksShape } from "../../routes/blocks.js";
import { askBytes, itemsIn, showToken } from "../network/ask.js";
import { browserVerify } from "../verification/signatures.js";
import { replayAt } from "./replay-block.js";
import type { AskedReplay, ShownRun, ToldReplay } from "./told.js";

const BLOCKS_AT_ONCE = 100;
/** Between two words of how far it is. */
const WORD_MS = 200;

addEventListener("message", ({ data }: MessageEvent<AskedReplay>) => {
  replay(data).then(tell, (error: unknown) =>
    tell({ type: "failed", isWrong: error instanceof WireError, reason: reasonOf(error) }),
  );
});

function tell(told: ToldReplay): void {
  postMessage(told);
}

async function replay({ genesis, service, height, engine, token }: AskedReplay): Promise<ToldReplay> {
  showToken(token);
  const wasm = await fetch(engine);
  if (!wasm.ok) throw new Error(`the engine is not at hand: ${wasm.status}`);
  let told_ms = 0;
  const { chain, judgedAt, runs } = await replayAt({
    ...{ genesis, service, height, verify: browserVerify },
    engine: await createEngine(new Uint8Array(await wasm.arrayBuffer())),
    async blocks(of, from) {
      const query = { from, limit: BLOCKS_AT_ONCE };
      return itemsIn(await askBytes(blocksShape, { parameters: { service: of }, query }), blockLimits);
    },
    onBlock(place) {
      if (performance.now() - told_ms < WORD_MS) return;
      told_ms = performance.now();
      tell({ type: "block", ...place });
    },
  });
  return { type: "done", chain, judgedAt, runs: runs.map(shown) };
}

const blockLimits = { size: BLOCK_BYTES_MAX, items: 4_096 };

function shown({ contract, entry, outcome, calls, sealed, isSame }: HeldRun): ShownRun {
  const what = outcome.type === "failed" ? `${failures[outcome.reason]}: ${outcome.detail}` : kindOf(outcome);
  return {
    ...{ contract, what, isSame, used: outcome.used },
    entry: sealed === undefined ? entry : entryText(sealed.entry),
    sealed: isSame ? undefined : (sealed?.type ?? "–"),
    calls: calls.map((call) => ({ used: call.used, text: callText(call) })),
  };
}

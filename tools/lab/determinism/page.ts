// What a browser runs: it makes the chain that its own address asks for, with the engine that its server has, and tells the server
// what came of it.

import { createEngine } from "../../contracts/engine.js";
import { runPlan } from "../../contracts/run-plan.js";
import { reasonOf } from "../../errors.js";
import { makeChain } from "./chain.js";

async function made(): Promise<object> {
  const { searchParams } = new URL(import.meta.url);
  const wasm = await fetch("/engine.wasm");
  const engine = await createEngine(new Uint8Array(await wasm.arrayBuffer()));
  const [seed, blocks] = ["seed", "blocks"].map((name) => Number(searchParams.get(name)));
  return makeChain({ seed: seed!, blocks: blocks!, run: (plan) => runPlan(engine, plan) });
}

const told = await made().catch((error: unknown) => ({ fault: reasonOf(error) }));
await fetch("/result", { method: "POST", body: JSON.stringify(told) });

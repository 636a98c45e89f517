// A chain with one contract, for tests: operations and closed slots run in the engine, one after the other, in the state that they leave.

import assert from "node:assert/strict";
import { toHex } from "../../src/wire/bytes.js";
import { decodeOutput, decodeValue, type Value } from "../../src/wire/value.js";
import type { Entry } from "../../tools/contracts/engine.js";
import { defaultLimits } from "../../tools/contracts/limits.js";
import type { Emission } from "../../tools/ledger/outcome.js";
import { openSandbox, type Sandbox } from "../../tools/node/contracts/sandbox.js";
import { bundleContract } from "../../tools/provisioning/contracts/bundle.js";

export interface Said {
  readonly type: Emission["type"];
  readonly name: string;
  readonly body: Value;
  /** of a violation, 16 hex digits */
  readonly subject?: string;
  /** of a message, the chain that it is to */
  readonly service?: number;
}

export type Row = readonly [point: string, taken: Value, given: Value, quality: number, doubts?: number];

/** What a run may take on a chain where the contract is installed as docs/communities.md has it. */
const limits = { ...defaultLimits, output: 262_144 };

export class TestChain {
  readonly #source: string;
  readonly #sandbox: Sandbox;
  readonly #parameters: Readonly<Record<string, Value>>;
  state: ReadonlyMap<string, Uint8Array> = new Map();
  height = 1;
  time_s = 900_000;
  /** of the last run */
  used = 0;

  constructor(source: string, sandbox: Sandbox, parameters: Readonly<Record<string, Value>>) {
    this.#source = source;
    this.#sandbox = sandbox;
    this.#parameters = parameters;
  }

  /** What an operation comes to: what is said, denials among it. */
  async ask(who: Signer, type: number, body: Value): Promise<readonly Said[]> {
    const { id: participant, issued_id = participant, role, jurisdiction = null } = who;
    const argument = { type, participant, issued_id, roles: [role], jurisdiction, seq: this.height, body };
    return this.run("operation", { ...argument, time_s: this.time_s });
  }

  /** Asks what must be done. */
  async done(who: Signer, type: number, body: Value): Promise<readonly Said[]> {
    const said = await this.ask(who, type, body);
    assert.deepEqual(
      said.filter((each) => each.type === "denial"),
      [],
      `type ${type} is done`,
    );
    return said;
  }

  /** The rule by which an operation is denied. */
  async denied(who: Signer, type: number, body: Value): Promise<string> {
    const before = this.state;
    const said = await this.ask(who, type, body);
    assert.equal(this.state, before, `what is denied writes nothing: ${JSON.stringify(said)}`);
    assert.equal(said.length, 1, `type ${type} says one thing`);
    assert.equal(said[0]!.type, "denial", `type ${type} is denied`);
    return said[0]!.name;
  }

  /** Closes a slot of 900 s, shown in parts of so many rows. */
  async close(start_s: number, rows: readonly Row[], together = 500): Promise<readonly Said[]> {
    this.time_s = Math.max(this.time_s, start_s + 900);
    const said: Said[] = [];
    for (let first = 0; first < Math.max(1, rows.length); first += together) {
      const points = rows.slice(first, first + together).map(([point, taken, given, quality, doubts = 0]) => {
        return [point, taken, given, quality, doubts];
      });
      said.push(...(await this.run("slot", { start_s, length_s: 900, count: rows.length, first, points })));
    }
    return said;
  }

  /** Calls for the deadlines that have passed, in their order, as a block does. */
  async pass(time_s: number): Promise<readonly Said[]> {
    this.time_s = time_s;
    const passed = [...this.state]
      .filter(([key]) => key.startsWith("due/"))
      .map(([key, value]) => ({ key: key.slice(4), value: decodeValue(value) as readonly [number, Value] }))
      .filter(({ value: [due_s] }) => due_s <= time_s);
    const said: Said[] = [];
    for (const { key, value } of passed) {
      this.state = new Map([...this.state].filter(([other]) => other !== `due/${key}`));
      said.push(...(await this.run("due", { key, time_s: value[0], body: value[1] })));
    }
    return said;
  }

  async run(entry: Entry, argument: Value): Promise<readonly Said[]> {
    const { state, height, time_s } = this;
    this.height += 1;
    const place = { entry, argument, height, time_s, state };
    const outcome = await this.#sandbox.run({
      ...{ source: this.#source, parameters: this.#parameters, limits, ...place },
    });
    assert.ok(outcome.type === "done", `${entry} is done: ${outcome.type === "failed" ? outcome.detail : ""}`);
    this.used = outcome.used;
    if (outcome.writes.length > 0) {
      const next = new Map(state);
      for (const [key, value] of outcome.writes) {
        if (value === null) next.delete(key);
        else next.set(key, value);
      }
      this.state = next;
    }
    return outcome.emissions.map((emission) => ({
      ...{ type: emission.type, name: emission.name, body: decodeOutput(emission.body) },
      ...("subject" in emission && { subject: toHex(emission.subject) }),
      ...("service" in emission && { service: emission.service }),
    }));
  }

  get(key: string): Value | undefined {
    const value = this.state.get(key);
    return value === undefined ? undefined : decodeValue(value);
  }

  get bytes(): number {
    return [...this.state].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  }
}

export interface Signer {
  readonly id: string;
  /** as the ID where absent */
  readonly issued_id?: string | undefined;
  readonly role: number;
  /** of nobody's law where absent */
  readonly jurisdiction?: string | undefined;
}

/** Opens chains of a contract in one engine; `close` ends it. */
export async function openChains(file: string) {
  const { source } = await bundleContract(file);
  const sandbox = await openSandbox();
  return {
    chain: (parameters: Readonly<Record<string, Value>> = {}) => new TestChain(source, sandbox, parameters),
    close: () => sandbox.close(),
  };
}

/** The bodies of effects of a name. */
export function effects<Body = Readonly<Record<string, Value>>>(said: readonly Said[], name: string): Body[] {
  return said.filter((each) => each.type === "effect" && each.name === name).map(({ body }) => body as unknown as Body);
}

// Performs what the provisioning of a meter asks for (step.ts): types at its console, asks bench and authority, tells how far it is.

import type { ErrorCode } from "../../errors.js";
import { GridsealError } from "../../errors.js";
import type { WebPort } from "../../flash/web-port.js";
import type { Bench } from "./bench.js";
import type { Certifier } from "./certifier.js";
import { holdingIn } from "./holding.js";
import { type ConsoleLine, openConsole } from "./line.js";
import { type Effect, type Input, type Outcome, requestIn, type State, step } from "./step.js";

export interface ProvisioningPorts {
  readonly port: WebPort;
  readonly bench: Bench;
  readonly certifier: Certifier;
  progress(text: string): void;
  now_ms(): number;
}

/** What a meter logs by itself; it answers nothing. */
const LOG = /^(?:debug|info|warn|error|state:) /;
/** What waits to be taken: a meter that prints without end is none. */
const INPUTS_MAX = 256;

/** Provisions the meter at the port. Rejects with PORT_UNUSABLE; all else is an outcome. */
export async function runProvisioning(state: State, ports: ProvisioningPorts): Promise<Outcome> {
  const inputs: Input[] = [{ kind: "started" }];
  const typed: string[] = [];
  let wake: () => void = () => {};
  const take = (input: Input): void => {
    if (inputs.length < INPUTS_MAX) inputs.push(input);
    wake();
  };
  const hear = (line: string): void => {
    const holding = holdingIn(line);
    const request = requestIn(line);
    if (holding !== undefined) take({ kind: "told", holding });
    else if (request !== undefined) take({ kind: "requested", request });
    else if (!LOG.test(line) && !typed.some((own) => own.includes(line))) take({ kind: "said", text: line });
  };
  const gone = () => take({ kind: "refused", code: "PORT_UNUSABLE", reason: "the port is gone" });
  const terminal = await openConsole(ports.port, hear, gone);
  let timer: NodeJS.Timeout | undefined;
  const setTimer = (delay_ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(take, delay_ms, { kind: "timer" });
  };
  try {
    for (;;) {
      const input = inputs.shift();
      if (input === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      for (const effect of step(state, input, ports.now_ms())) {
        if (effect.kind === "end") return effect.outcome;
        await perform(effect, { ...ports, terminal, typed, take, setTimer });
      }
    }
  } finally {
    clearTimeout(timer);
    await terminal.close();
  }
}

interface Performing extends ProvisioningPorts {
  readonly terminal: ConsoleLine;
  /** the lines of the newest effect, whose echo says nothing */
  readonly typed: string[];
  take(input: Input): void;
  setTimer(delay_ms: number): void;
}

async function perform(effect: Exclude<Effect, { kind: "end" }>, performing: Performing): Promise<void> {
  const { terminal, typed, bench, certifier, take } = performing;
  switch (effect.kind) {
    case "type":
      typed.splice(0, typed.length, ...effect.lines);
      for (const line of effect.lines) await terminal.type(line);
      return;
    case "setTimer":
      return performing.setTimer(effect.delay_ms);
    case "progress":
      return performing.progress(effect.text);
    case "assign":
      return answering(take, async () => ({ kind: "assigned", ...(await bench.assign(effect.mac)) }));
    case "certify":
      return answering(take, () => certifier.certify(effect));
  }
}

/** What is refused ends this meter's provisioning, and no other's. */
async function answering(take: (input: Input) => void, ask: () => Promise<Input>): Promise<void> {
  try {
    take(await ask());
  } catch (thrown) {
    if (!(thrown instanceof GridsealError)) throw thrown;
    take({ kind: "refused", code: thrown.code as ErrorCode, reason: thrown.message });
  }
}

// Provisioning of one meter at its console, pure: what the meter says and what bench and authority answer come in, what to type and to
// ask goes out. Nothing is remembered between runs: each looks at what the meter holds, brings what is missing, and looks again. So a
// run that was killed anywhere is made good by the next one.

import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import { sha256 } from "../../../src/wire/hash.js";
import { holdingNonce } from "../../../src/wire/holding.js";
import type { Verify } from "../../../src/wire/key.js";
import { verifyRequest } from "../../../src/wire/request.js";
import type { ErrorCode } from "../../errors.js";
import type { Holding } from "./holding.js";

/** What every meter of a run is to hold. */
export interface Plan {
  readonly genesisHash: Uint8Array;
  /** name of the network where that is a test network */
  readonly testNetwork?: string;
  readonly brokers: readonly string[];
  readonly services: readonly number[];
  /** DER of the certificate that brokers' are checked against; a meter that holds one is refused where absent */
  readonly ca?: Uint8Array;
  readonly wifi?: { readonly ssid: string; readonly password?: string };
  readonly sntp?: string;
  readonly lot?: string;
  /** the configuration of a meter of this key id, at the place of the list */
  configurationOf(meter: string, place: number): string;
  /** until the meter has verified the receipt of its first record, or until all is stored in it */
  readonly until: "sealed" | "stored";
  readonly isDry: boolean;
  /** a meter of another network is taken over */
  readonly takesOver: boolean;
  readonly firstRecord_ms: number;
  readonly verify: Verify;
}

export type Input =
  | { readonly kind: "started" }
  | { readonly kind: "told"; readonly holding: Holding }
  | { readonly kind: "requested"; readonly request: Uint8Array }
  /** any other line that is no log */
  | { readonly kind: "said"; readonly text: string }
  | { readonly kind: "timer" }
  | { readonly kind: "assigned"; readonly id: string; readonly place: number }
  | { readonly kind: "certified"; readonly credential: Uint8Array }
  /** the authority will answer later */
  | { readonly kind: "waits"; readonly text: string }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly reason: string };

export type Effect =
  /** lines for the console, one after the other */
  | { readonly kind: "type"; readonly lines: readonly string[] }
  | { readonly kind: "assign"; readonly mac: string; readonly meter: string }
  | { readonly kind: "certify"; readonly id: string; readonly mac: string; readonly request: Uint8Array }
  | { readonly kind: "setTimer"; readonly delay_ms: number }
  /** what has been reached, and what comes next */
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "end"; readonly outcome: Outcome };

export type Outcome = { readonly mac?: string; readonly id?: string; readonly meter?: string } & (
  | { readonly type: "provisioned"; readonly sealed: number }
  | { readonly type: "stored" }
  | { readonly type: "waiting"; readonly text: string }
  /** of a dry run */
  | { readonly type: "lacks"; readonly lacks: readonly string[] }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly reason: string }
);

type Phase = "looking" | "assigning" | "asking" | "certifying" | "restarting" | "proving" | "ended";

export interface State {
  readonly plan: Plan;
  readonly challenge: Uint8Array;
  phase: Phase;
  /** of the question that was put last what a meter holds; answers to earlier ones count no more */
  looks: number;
  /** questions that nobody has answered */
  silence: number;
  device: { readonly mac: string; readonly meter: string; readonly key: string } | undefined;
  assigned: { readonly id: string; readonly place: number; readonly configuration: string } | undefined;
  credential: Uint8Array | undefined;
  /** how often each thing was written */
  readonly writes: Map<string, number>;
  /** what the meter said last that is no answer: why it does not keep something */
  said: string;
  restarted_ms: number;
  /** when it was last told to: the line may have been lost */
  told_ms: number;
  /** the state that it told last while its first record was waited for */
  shown: string;
}

const ANSWER_MS = 10_000;
const SILENCE_MAX = 6;
const WRITES_MAX = 3;
/** After a restart it is asked again and again until it is up. */
const LOOK_MS = 1_000;
/** Clears what somebody has half typed. */
const ESCAPE = "\u001b";

export function createProvisioning(plan: Plan, challenge: Uint8Array): State {
  return {
    plan,
    challenge,
    phase: "looking",
    looks: 0,
    silence: 0,
    device: undefined,
    assigned: undefined,
    credential: undefined,
    writes: new Map(),
    said: "",
    restarted_ms: 0,
    told_ms: 0,
    shown: "",
  };
}

export function step(state: State, input: Input, now_ms: number): readonly Effect[] {
  if (state.phase === "ended") return [];
  switch (input.kind) {
    case "started":
      return [{ kind: "progress", text: "looking for a meter's console" }, ...look(state, [ESCAPE])];
    case "told":
      return told(state, input.holding, now_ms);
    case "requested":
      return requested(state, input.request);
    case "said":
      state.said = input.text;
      return [];
    case "timer":
      return timedOut(state, now_ms);
    case "assigned":
      return assigned(state, input);
    case "certified":
      return certified(state, input.credential);
    case "waits":
      return end(state, { type: "waiting", text: input.text });
    case "refused":
      return fail(state, input.code, input.reason);
  }
}

function told(state: State, holding: Holding, now_ms: number): readonly Effect[] {
  const { plan, device } = state;
  if (holding.look !== String(state.looks)) return [];
  state.silence = 0;
  if (device !== undefined && (device.mac !== holding.mac || device.key !== holding.key)) {
    return fail(state, "METER_REFUSED", `meter ${device.mac} was at this port, and now ${holding.mac} answers`);
  }
  if (state.phase === "restarting" || state.phase === "proving") return proving(state, holding, now_ms);
  if (state.phase !== "looking") return [];
  state.device ??= { mac: holding.mac, meter: holding.meter, key: holding.key };
  const isForeign = holding.genesis !== undefined && holding.genesis !== toHex(plan.genesisHash);
  if (isForeign && !plan.takesOver) {
    const what = `meter ${holding.mac} holds the genesis ${holding.genesis} of another network`;
    return fail(state, "METER_FOREIGN", what);
  }
  if (state.assigned === undefined) {
    state.phase = "assigning";
    return [{ kind: "assign", mac: holding.mac, meter: holding.meter }];
  }
  return bring(state, holding, now_ms);
}

function assigned(state: State, { id, place }: { readonly id: string; readonly place: number }): readonly Effect[] {
  if (state.phase !== "assigning") return [];
  const configuration = state.plan.configurationOf(state.device!.meter, place);
  state.assigned = { id, place, configuration };
  state.phase = "looking";
  return [
    {
      kind: "progress",
      text: `meter ${state.device!.mac} is ${id}, key ${state.device!.meter}${ofTestNetwork(state.plan)}`,
    },
    ...look(state),
  ];
}

function ofTestNetwork({ testNetwork }: Plan): string {
  return testNetwork === undefined ? "" : `, of the test network ${testNetwork}`;
}

/** What the meter is to hold, in the order in which it is brought. */
function things({ plan, assigned, credential }: State) {
  const { ca, wifi, sntp } = plan;
  const { configuration } = assigned!;
  return [
    {
      name: "configuration",
      line: `configuration ${configuration}`,
      isHeld: (holding: Holding) => holding.configuration === hashOf(new TextEncoder().encode(configuration)),
    },
    ...(ca === undefined
      ? []
      : [{ name: "certificate", line: `ca ${toHex(ca)}`, isHeld: (holding: Holding) => holding.ca === hashOf(ca) }]),
    ...(wifi === undefined
      ? []
      : [{ name: "Wi-Fi", line: wifiLine(wifi), isHeld: (holding: Holding) => holding.ssid === wifi.ssid }]),
    ...(sntp === undefined
      ? []
      : [{ name: "time server", line: `sntp ${sntp}`, isHeld: (holding: Holding) => holding.sntp === sntp }]),
    ...(credential === undefined
      ? []
      : [
          {
            name: "credential",
            line: `credential ${toHex(credential)}`,
            isHeld: (holding: Holding) => holding.credential === hashOf(credential),
          },
        ]),
  ];
}

/** Writes the first thing that is missing and looks again; with all of them there it goes on to what comes next. */
function bring(state: State, holding: Holding, now_ms: number): readonly Effect[] {
  const { plan, writes, assigned } = state;
  const missing = things(state).filter(({ isHeld }) => !isHeld(holding));
  if (plan.isDry) {
    const lacks = [...missing.map(({ name }) => name), ...(holding.credential === undefined ? ["credential"] : [])];
    return end(state, { type: "lacks", lacks });
  }
  const [first] = missing;
  if (first !== undefined) {
    const count = writes.get(first.name) ?? 0;
    if (count === WRITES_MAX) {
      const why = state.said === "" ? "and does not say why" : `and says: ${state.said}`;
      return fail(state, "METER_REFUSED", `meter ${assigned!.id} does not keep its ${first.name}, ${why}`);
    }
    writes.set(first.name, count + 1);
    state.said = "";
    return [{ kind: "progress", text: `${assigned!.id}: writing its ${first.name}` }, ...look(state, [first.line])];
  }
  if (state.credential === undefined) {
    state.phase = "asking";
    return [{ kind: "progress", text: `${assigned!.id}: holds what it must, and signs its request` }, ...ask(state)];
  }
  if (plan.until === "stored") return end(state, { type: "stored" });
  state.phase = "restarting";
  state.restarted_ms = now_ms;
  state.told_ms = now_ms;
  const text = `${assigned!.id}: all is stored and read back; it restarts, and its first record is waited for`;
  return [{ kind: "progress", text }, ...type(["restart"], LOOK_MS)];
}

function ask({ assigned, challenge, plan }: State): readonly Effect[] {
  return type([`request ${assigned!.id} ${toHex(challenge)}${plan.lot === undefined ? "" : ` ${plan.lot}`}`]);
}

/** What the meter signs must be what it was given: here a wrong anchor of trust is found, before anybody has certified anything. */
function requested(state: State, bytes: Uint8Array): readonly Effect[] {
  if (state.phase !== "asking") return [];
  const { plan, assigned, device, challenge } = state;
  const { genesisHash: genesis, brokers, services, ca } = plan;
  const nonce = holdingNonce(challenge, { genesis, brokers, services, ...(ca !== undefined && { ca: sha256(ca) }) });
  let wrong: string | undefined;
  try {
    const request = verifyRequest(bytes, genesis, plan.verify);
    if (toHex(request.key.x) !== device!.key) wrong = "its request is signed by another key than it tells";
    else if (request.id !== assigned!.id) wrong = `it asks to be ${request.id}`;
    else if (request.services.join() !== services.join()) wrong = `it asks for services ${request.services.join(", ")}`;
    else if (request.origin?.lot !== plan.lot) wrong = `it asks for lot ${request.origin?.lot ?? "none"}`;
    else if (toHex(request.nonce) !== toHex(nonce)) {
      wrong = "what it signs is not the genesis, brokers, services and certificate that it was given";
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    wrong = error.message;
  }
  if (wrong !== undefined) return fail(state, "HOLDING_WRONG", `meter ${assigned!.id}: ${wrong}`);
  state.phase = "certifying";
  const text = `${assigned!.id}: its request is good, and goes to the authority`;
  return [
    { kind: "progress", text },
    { kind: "certify", id: assigned!.id, mac: device!.mac, request: bytes },
  ];
}

function certified(state: State, credential: Uint8Array): readonly Effect[] {
  if (state.phase !== "certifying") return [];
  state.credential = credential;
  state.phase = "looking";
  return look(state);
}

/** An answer counts as one after the restart only where the meter has been up for less time than that. */
function proving(state: State, { uptime_ms, sealed, state: shown }: Holding, now_ms: number): readonly Effect[] {
  const { plan, assigned } = state;
  if (state.phase === "restarting") {
    if (uptime_ms > now_ms - state.restarted_ms) return againRestart(state, now_ms);
    state.phase = "proving";
  }
  if (sealed > 0) return end(state, { type: "provisioned", sealed });
  if (shown === state.shown) return [];
  state.shown = shown;
  const left_s = Math.max(0, Math.ceil((plan.firstRecord_ms - (now_ms - state.restarted_ms)) / 1_000));
  return [{ kind: "progress", text: `${assigned!.id}: ${shown}; its first record is waited for, ${left_s} s more` }];
}

/** It has not restarted: it may be about to, or the line was lost. */
function againRestart(state: State, now_ms: number): readonly Effect[] {
  state.shown = "not restarted";
  if (now_ms - state.told_ms < ANSWER_MS) return [];
  state.told_ms = now_ms;
  return type(["restart"], LOOK_MS);
}

function timedOut(state: State, now_ms: number): readonly Effect[] {
  const { phase, assigned, plan } = state;
  if (phase === "assigning" || phase === "certifying") return [];
  if (phase === "restarting" || phase === "proving") {
    if (now_ms - state.restarted_ms < plan.firstRecord_ms) return look(state, [], LOOK_MS);
    const now = state.shown === "" ? "has not come up again" : `says "${state.shown}"`;
    return fail(state, "METER_UNPROVEN", `meter ${assigned!.id} holds all, but no record of it is sealed: it ${now}`);
  }
  state.silence += 1;
  if (state.silence < SILENCE_MAX) return phase === "asking" ? ask(state) : look(state, [ESCAPE]);
  const why = state.said === "" ? "nothing" : `"${state.said}"`;
  return fail(state, "METER_SILENT", `no meter answers at the console: it says ${why}`);
}

function look(state: State, lines: readonly string[] = [], delay_ms = ANSWER_MS): readonly Effect[] {
  state.looks += 1;
  return type([...lines, `holds ${state.looks}`], delay_ms);
}

function type(lines: readonly string[], delay_ms = ANSWER_MS): readonly Effect[] {
  return [
    { kind: "type", lines },
    { kind: "setTimer", delay_ms },
  ];
}

type Ending = Outcome extends infer Each ? (Each extends Outcome ? Omit<Each, "mac" | "id" | "meter"> : never) : never;

function end(state: State, ending: Ending): readonly Effect[] {
  state.phase = "ended";
  const { device, assigned } = state;
  const named = {
    ...(device !== undefined && { mac: device.mac, meter: device.meter }),
    ...(assigned !== undefined && { id: assigned.id }),
  };
  return [{ kind: "end", outcome: { ...named, ...ending } as Outcome }];
}

function fail(state: State, code: ErrorCode, reason: string): readonly Effect[] {
  return end(state, { type: "failed", code, reason });
}

function hashOf(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}

/** As the console reads it: quotes around what may have spaces. */
function wifiLine({ ssid, password }: NonNullable<Plan["wifi"]>): string {
  return `wifi "${ssid}"${password === undefined ? "" : ` "${password}"`}`;
}

/** The request in a line of the console; undefined where it is another line. */
export function requestIn(line: string): Uint8Array | undefined {
  return line.startsWith("request ") ? fromHex(line.slice("request ".length).trim()) : undefined;
}

// The cases contract, on the contracts chain: what sealed blocks of all chains say against somebody, and what has become of it. The
// rules of a chain tell each violation by a message of their own (PROTOCOL.md, section 12); operations carry a case on.
// Parameters: `kept_rows` and `kept_subjects`, how much of what is told stays (32,768 violations against 16,384 subjects); `kept_cases`,
// how many cases do (4,096), beside as many that subjects alone have contested; `kept_of_one`, how many of each kind one subject has
// (128); `tells`, the service that is told of each step by a message `case`.

import type { Context, Message, Operation, Value } from "../../contracts/author.js";
import { Denied, fieldsOf, granted, grantedTo, idOf, oneOf, wholeOf } from "../asked.js";
import { keepCase } from "./kept.js";
import { dropSaid, keepSaid, saidOf } from "./said.js";

export const reads: readonly string[] = [];
export const writes = ["case/", "kept/", "said/"];

/** The type of operations that carry a case on. */
const STEP = 16;
const [gridOperator, marketOperator, regulator, dataAdministrator] = [5, 7, 10, 13] as const;
/** Who speaks for meters and nodes, which sign no operations. */
const speakers = [gridOperator, dataAdministrator] as const;
const deciders = [gridOperator, marketOperator, regulator] as const;

/** Steps that may follow a state. */
const steps = {
  open: ["acknowledged", "contested", "upheld", "lifted"],
  acknowledged: ["contested", "upheld", "lifted"],
  contested: ["upheld", "lifted"],
  upheld: ["lifted"],
  lifted: [],
} as const satisfies { readonly [state: string]: readonly string[] };
type State = keyof typeof steps;
const fields = ["violation", "subject", "state", "reason"] as const;
const states = ["acknowledged", "contested", "upheld", "lifted"] as const;

/** Who has taken the case to which state, when and why. */
type Step = readonly [state: string, by: string, time_s: number, reason: string];

interface Case {
  readonly state: State;
  readonly kind: number;
  readonly subject: string;
  readonly rule: string | null;
  /** four at most, as no state comes twice */
  readonly steps: readonly Step[];
}

const REASON_MAX = 200;

export function message(context: Context, { service, contract, name, body, height }: Message): void {
  if (contract !== null || name !== "violation") return context.deny("not-of-the-rules", name);
  const [first, rows] = body as unknown as readonly [number, readonly Value[]];
  keepSaid(context, { service, height, first, rows });
}

export function operation(context: Context, asked: Operation): void {
  try {
    takeStep(context, asked);
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    context.deny(error.rule, error.about);
  }
}

/** `{ violation: "service:height:index", subject, state, reason }`. Throws Denied, before anything is written. */
function takeStep(context: Context, asked: Operation): void {
  granted(asked.type === STEP, "malformed", "type");
  const { violation, subject: against, state, reason } = fieldsOf(asked.body, fields);
  const id = placeOf(violation);
  const subject = idOf(against, "subject");
  const to = oneOf(state, states, "state");
  granted(typeof reason === "string" && reason.length <= REASON_MAX, "malformed", "reason");
  const before = caseAt(context, id, subject);
  checkSigner(asked, before, to);
  granted((steps[before.state] as readonly string[]).includes(to), "not-from-there", before.state);
  const { kind, rule } = before;
  const step: Step = [to, asked.participant, context.time_s, reason];
  const after: Case = { ...before, state: to, steps: [...before.steps, step] };
  const ring = after.steps.every(([, by]) => by === subject) ? "own" : "case";
  if (before.steps.length === 0) dropSaid(context, id, subject);
  keepCase(context, { id, subject, ring }, after as unknown as Value);
  const said = { violation: id, state: to, before: before.state, kind, subject, rule };
  context.effect("case", { ...said, by: asked.participant, reason });
  const { tells } = context.parameters;
  if (typeof tells === "number") context.message(tells, "case", said);
}

/** Nobody decides what is said against it, nor what it has contested itself. */
function checkSigner(asked: Operation, { subject, steps: taken }: Case, to: string): void {
  const { participant } = asked;
  if (to === "contested") {
    if (participant !== subject) grantedTo(asked, speakers);
    return;
  }
  grantedTo(asked, to === "acknowledged" ? [...deciders, dataAdministrator] : deciders);
  granted(participant !== subject, "own-case");
  const contested = taken.filter(([state]) => state === "contested");
  granted(!contested.some(([, by]) => by === participant), "own-case");
}

/** The case against this subject as it stands; open, where nobody has taken a step yet. Throws Denied where there is none. */
function caseAt(context: Context, id: string, subject: string): Case {
  const kept = context.get(`case/${id}`) as unknown as Case | undefined;
  granted(kept === undefined || kept.subject === subject, "unknown-violation", id);
  if (kept !== undefined) return kept;
  const { kind, rule } = saidOf(context, id, subject);
  return { state: "open", kind, subject, rule, steps: [] };
}

/** The name of a violation in its one form. Throws Denied. */
function placeOf(value: Value | undefined): string {
  granted(typeof value === "string" && value.length <= 32, "malformed", "violation");
  const numbers = value.split(":").map((text) => {
    let isNumber = text.length > 0;
    for (const digit of text) isNumber &&= "0123456789".includes(digit);
    return isNumber ? parseInt(text, 10) : -1;
  });
  granted(numbers.length === 3 && !numbers.includes(-1) && numbers.join(":") === value, "malformed", "violation");
  wholeOf(numbers[0], [1, 65_535], "violation");
  return value;
}

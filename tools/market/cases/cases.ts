// The cases contract, on the contracts chain: what sealed blocks of all chains say against somebody, and what has become of it. The
// rules of a chain tell each violation by a message of their own (PROTOCOL.md, section 12); operations carry a case on.
// Parameters: `kept_rows` and `kept_messages`, how much of what is told stays (65,536 and 16,384); `kept_cases`, how many cases do
// (4,096), beside as many that subjects alone have contested; `kept_of_one`, how many of each kind one subject has (128); `tells`, the
// service that is told of each step by a message `case`.

import type { Context, Message, Operation, Value } from "../../contracts/author.js";
import { Denied, fieldsOf, granted, grantedTo, oneOf, wholeOf } from "../asked.js";
import { keepCase } from "./kept.js";
import { keepSaid, rowOf } from "./said.js";

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

export function message(context: Context, { service, contract, name, body, height, time_s }: Message): void {
  if (contract !== null || name !== "violation") return context.deny("not-of-the-rules", name);
  const [first, rows] = body as unknown as readonly [number, readonly Value[]];
  keepSaid(context, { service, height, first, time_s, rows });
}

export function operation(context: Context, asked: Operation): void {
  try {
    takeStep(context, asked);
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    context.deny(error.rule, error.about);
  }
}

/** `{ violation: "service:height:index", state, reason }`. Throws Denied. */
function takeStep(context: Context, asked: Operation): void {
  granted(asked.type === STEP, "malformed", "type");
  const { violation, state, reason } = fieldsOf(asked.body, ["violation", "state", "reason"]);
  const id = placeOf(violation);
  const to = oneOf(state, states, "state");
  granted(typeof reason === "string" && reason.length <= REASON_MAX, "malformed", "reason");
  const before = caseAt(context, id);
  checkSigner(asked, before, to);
  granted((steps[before.state] as readonly string[]).includes(to), "not-from-there", before.state);
  const { kind, subject, rule } = before;
  const step: Step = [to, asked.participant, context.time_s, reason];
  const after: Case = { ...before, state: to, steps: [...before.steps, step] };
  const ring = after.steps.every(([, by]) => by === subject) ? "own" : "case";
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

/** As it stands; open, where nobody has taken a step yet. Throws Denied where there is none. */
function caseAt(context: Context, id: string): Case {
  const kept = context.get(`case/${id}`);
  if (kept !== undefined) return kept as unknown as Case;
  const [kind, subject, , rule] = rowOf(context, id);
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

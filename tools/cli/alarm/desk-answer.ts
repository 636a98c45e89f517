// What a monitor of this machine answers.

import { Type } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import { GridsealError, reasonOf } from "../../errors.js";

const ANSWER_MS = 5_000;

export const StandingAlarms = Type.Array(
  Type.Object({
    ...{ id: Type.String(), time: Type.String(), alarm: Type.String(), state: Type.String(), severity: Type.String() },
    node: Type.Optional(Type.String()),
    service: Type.Optional(Type.Integer()),
    ...{ what: Type.String(), remedy: Type.String() },
  }),
);

interface DeskQuestion {
  readonly method: "GET" | "POST";
  /** of the monitor's folder, for who acknowledges */
  readonly token?: string;
}

/** Its JSON. Rejects with NODE_UNREACHABLE, or USAGE where it takes something not. */
export async function askDesk(port: number, path: string, { method, token }: DeskQuestion): Promise<unknown> {
  const url = `http://127.0.0.1:${port}${path}`;
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(url, { method, headers, redirect: "error", signal: AbortSignal.timeout(ANSWER_MS) });
    const value: unknown = await answer.json();
    if (answer.ok) return value;
    const told = Check(Type.Object({ message: Type.String() }), value) ? value.message : `it answers ${answer.status}`;
    throw new GridsealError("USAGE", `${url}: ${told}`);
  } catch (cause) {
    if (cause instanceof GridsealError) throw cause;
    throw new GridsealError("NODE_UNREACHABLE", `no monitor answers at ${url}: ${reasonOf(cause)}`, { cause });
  }
}

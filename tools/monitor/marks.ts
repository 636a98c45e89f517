// How far the monitor has audited each chain of each node, in a file: a monitor that is started
// again verifies no signature of a block twice. It computes all blocks anew, since nothing else gives what contracts remember.

import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import type { AuditedMark } from "../audit/mark.js";
import { GridsealError, reasonOf } from "../errors.js";

const FILE = "monitor.json";
const Marks = Type.Object({
  genesis: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  chains: Type.Array(
    Type.Object({
      node: Type.String(),
      service: Type.Integer({ minimum: 0 }),
      height: Type.Integer({ minimum: 1 }),
      header: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    }),
  ),
});

export interface Marks {
  of(node: string, service: number): AuditedMark | undefined;
  note(node: string, service: number, mark: AuditedMark): void;
  /** What was audited is not what the node serves now. */
  forget(node: string, service: number): void;
  /** Rejects with FILE_UNWRITABLE. */
  write(): Promise<void>;
}

interface Place extends AuditedMark {
  readonly node: string;
  readonly service: number;
}

/** In a folder; without one they live as long as the process. Rejects with FILE_UNREADABLE where the file there is none of these. */
export async function openMarks(folder: string | undefined, genesis: Uint8Array): Promise<Marks> {
  const places = new Map<string, Place>();
  const path = folder === undefined ? undefined : join(folder, FILE);
  for (const place of path === undefined ? [] : await readMarks(path, genesis)) {
    places.set(`${place.node} ${place.service}`, place);
  }
  let isChanged = false;
  return {
    of: (node, service) => places.get(`${node} ${service}`),
    note(node, service, { height, header }) {
      places.set(`${node} ${service}`, { node, service, height, header });
      isChanged = true;
    },
    forget(node, service) {
      isChanged = places.delete(`${node} ${service}`) || isChanged;
    },
    async write() {
      if (path === undefined || !isChanged) return;
      isChanged = false;
      const chains = [...places.values()].map((place) => ({ ...place, header: toHex(place.header) }));
      try {
        await writeFile(`${path}.unfinished`, `${JSON.stringify({ genesis: toHex(genesis), chains })}\n`, {
          mode: 0o600,
        });
        await rename(`${path}.unfinished`, path);
      } catch (cause) {
        isChanged = true;
        throw new GridsealError("FILE_UNWRITABLE", `${path} cannot be written: ${reasonOf(cause)}`, { cause });
      }
    },
  };
}

async function readMarks(path: string, genesis: Uint8Array): Promise<readonly Place[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new GridsealError("FILE_UNREADABLE", `${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!Check(Marks, value)) throw new GridsealError("FILE_UNREADABLE", `${path} has no marks of a monitor`);
  if (value.genesis !== toHex(genesis)) return []; // of another network
  return value.chains.map((place) => ({ ...place, header: fromHex(place.header)! }));
}

// The bench's folder: which meter, by its MAC, has which ID, and the requests that wait for the authority. A file a meter, made once
// and durable before the meter hears its ID: so no meter gets two, and no two get one.

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { checkIssuedId } from "../../authority/issue.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { lockFolder } from "../../files/lock.js";
import { createFile, readWhole } from "../../files/made-once.js";
import { closeFolder } from "../../files/private-files.js";

/** A meter that is to be: its ID, and where they are known its MAC and measuring point. */
export interface Listed {
  readonly id: string;
  readonly mac?: string;
  /** service ID of its schedule */
  readonly place: number;
}

export interface Bench {
  readonly folder: string;
  /**
   * The ID of the meter with this MAC: the one it has, the one that the list has for it, or the first that is free. Throws USAGE
   * where there is none.
   */
  assign(mac: string): Promise<Listed>;
  close(): Promise<void>;
}

const NAME = /^[0-9a-f]{12}\.json$/;
const FILE_BYTES_MAX = 512;

/**
 * Opens the folder, or makes it; a dry run makes and writes nothing. Throws FOLDER_IN_USE where another provisioning runs in it, USAGE
 * where the list has an ID twice.
 */
export async function openBench(folder: string, list: readonly Listed[], isDry: boolean): Promise<Bench> {
  const ids = new Map(list.map((listed) => [listed.id, listed]));
  if (ids.size !== list.length) throw new GridsealError("FILE_INVALID", "the list has an ID twice");
  for (const { id } of list) checkIssuedId(id);
  const isMade = !isDry || existsSync(folder);
  if (isMade) await closeFolder(folder);
  const unlock = isMade ? await lockFolder(folder, "bench") : async () => {};
  try {
    const assigned = isMade ? await readAssigned(folder) : new Map<string, string>();
    const taken = new Map([...assigned].map(([mac, id]) => [id, mac]));
    const free = list.filter(({ id, mac }) => mac === undefined && !taken.has(id));
    let work: Promise<unknown> = Promise.resolve();

    async function assign(mac: string): Promise<Listed> {
      const known = assigned.get(mac);
      if (known !== undefined) return ids.get(known) ?? outsideOf(mac, known);
      const listed = list.find((each) => each.mac === mac) ?? free.shift();
      if (listed === undefined) throw new GridsealError("USAGE", `no ID is left for the meter ${mac}`);
      const other = taken.get(listed.id);
      if (other !== undefined) {
        const what = `${listed.id} is the meter ${other}, and ${mac} is another`;
        throw new GridsealError("USAGE", `${what}: give it an ID of its own, or replace the other one`);
      }
      if (!isDry) await createFile(join(folder, `${mac}.json`), `${JSON.stringify({ mac, id: listed.id })}\n`);
      assigned.set(mac, listed.id);
      taken.set(listed.id, mac);
      return listed;
    }

    return {
      folder,
      assign(mac) {
        const turn = work.then(() => assign(mac));
        work = turn.catch(() => {});
        return turn;
      },
      close: unlock,
    };
  } catch (thrown) {
    await unlock();
    throw thrown;
  }
}

function outsideOf(mac: string, id: string): never {
  throw new GridsealError("USAGE", `the meter ${mac} is ${id} already, which is not among the IDs that are named`);
}

/** IDs by MAC. */
async function readAssigned(folder: string): Promise<Map<string, string>> {
  const assigned = new Map<string, string>();
  for (const name of (await readdir(folder)).filter((each) => NAME.test(each))) {
    const path = join(folder, name);
    const text = new TextDecoder().decode(await readWhole(path, FILE_BYTES_MAX));
    try {
      const { mac, id } = JSON.parse(text);
      if (`${mac}.json` !== name || typeof id !== "string") throw new RangeError("it names another meter");
      assigned.set(mac, id);
    } catch (cause) {
      throw new GridsealError("FILE_UNREADABLE", `${path} does not say which meter has which ID: ${reasonOf(cause)}`);
    }
  }
  return assigned;
}

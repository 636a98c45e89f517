// Two slots for images in the simulator's folder: slots/0.image, slots/1.image, and slots/boot, which says as text which of them starts
// and whether it is `new`, on `trial` or `valid`. bootloader.c runs what stands in them.

import type { Slots } from "../shared/updater.js";
import * as machine from "./machine.js";

const BOOT = "slots/boot";
/** A build for the simulator has some 3 MB. */
const SLOT_BYTES = 8 * 1024 * 1024;

/** The slots where the bootloader has set them up; undefined in the SDK's own simulator. */
export function openSlots(): Slots | undefined {
  const running = machine.slot();
  if (running === undefined) return undefined;
  const free = `slots/${1 - running}.image`;
  let length = 0;
  return {
    size: SLOT_BYTES,
    isOnTrial: () => stateOf(machine.readFile(BOOT)) === "trial",
    begin() {
      machine.removeFile(free);
      length = 0;
    },
    write(bytes) {
      machine.appendFile(free, bytes, length);
      length += bytes.length;
    },
    abandon() {
      machine.removeFile(free);
    },
    activate() {
      put(1 - running, "new");
      machine.restart();
    },
    keep: () => put(running, "valid"),
    revert() {
      put(1 - running, "valid");
      machine.restart();
    },
  };
}

function stateOf(boot: ArrayBuffer | undefined): string | undefined {
  return boot === undefined ? undefined : String.fromArrayBuffer(boot).split(" ")[1];
}

function put(slot: number, state: string): void {
  machine.replaceFile(BOOT, new Uint8Array(ArrayBuffer.fromString(`${slot} ${state}`)));
}

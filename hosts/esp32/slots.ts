// The two slots of the partition table (partitions.csv): ota_0 and ota_1, one of which runs. The bootloader goes back by itself where
// an image on trial is reset before it is kept (sdkconfig: APP_ROLLBACK).

import type { Slots } from "../shared/updater.js";
import * as chip from "./chip.js";

export function openSlots(): Slots {
  return {
    size: chip.slotBytes(),
    isOnTrial: chip.isOnTrial,
    begin: () => chip.beginImage(),
    write: (bytes) => chip.writeImage(bytes),
    abandon: () => chip.abandonImage(),
    activate() {
      chip.activateImage();
      chip.leaveReason("a new image starts on trial");
      chip.restart();
    },
    keep: () => chip.keepImage(),
    revert() {
      chip.leaveReason("the image on trial did not prove itself");
      chip.dropImage();
    },
  };
}

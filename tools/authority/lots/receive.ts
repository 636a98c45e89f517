// Brings a shipment file into the register: devices that it does not know are registered with their lot, key and owner, others go to
// the owner that it names. Owners and makers are known by the keys of their participants.

import { toHex } from "../../../src/wire/bytes.js";
import { equalKeys, keyId, type PublicKey } from "../../../src/wire/key.js";
import { GridsealError } from "../../errors.js";
import { checkIssuedId } from "../issue.js";
import type { Change } from "../register/changes.js";
import type { Register } from "../register/register.js";
import { credentialsOf, type RegisterView } from "../register/rows.js";
import type { LotDevice, Shipment } from "./shipment.js";

export interface Received {
  readonly owner: string;
  readonly registered: number;
  readonly transferred: number;
  /** its already */
  readonly unchanged: number;
}

/**
 * All devices of the lot, or none. `maker` is the key that the buyer knows the maker by; where absent the maker must be an organisation
 * of the register. Throws REGISTER_REFUSED.
 */
export function receiveShipment(
  register: Register,
  shipment: Shipment,
  options: { readonly maker: PublicKey | undefined; readonly now_s: number; readonly isDry: boolean },
): Received {
  const { maker } = options;
  if (maker === undefined) organisationOf(register, shipment.maker, "maker");
  else if (!equalKeys(maker, shipment.maker)) {
    throw refusal(`lot ${shipment.lot} is signed by key ${toHex(keyId(shipment.maker))}, not by the maker named`);
  }
  const owner = organisationOf(register, shipment.owners.at(-1)!, "owner");
  const changes = shipment.devices.flatMap((device) => changeFor(register, device, { shipment, owner }) ?? []);
  if (!options.isDry) register.update(options.now_s, () => changes);
  const registered = changes.filter(({ type }) => type === "device").length;
  const transferred = changes.length - registered;
  return { owner, registered, transferred, unchanged: shipment.devices.length - changes.length };
}

function changeFor(
  view: RegisterView,
  { id, kid }: LotDevice,
  { shipment, owner }: { readonly shipment: Shipment; readonly owner: string },
): Change | undefined {
  checkIssuedId(id);
  const hash = toHex(shipment.hash);
  const known = view.get("devices", id);
  if (known === undefined) {
    return { type: "device", device: { id, lot: shipment.lot, key: toHex(kid), owner, shipment: hash } };
  }
  if (known.lot !== shipment.lot || known.key !== toHex(kid)) {
    throw refusal(`device ${id} is registered as of lot ${known.lot ?? "none"} with key ${known.key ?? "unknown"}`);
  }
  return known.owner === owner ? undefined : { type: "transfer", device: id, to: owner, shipment: hash };
}

/** Of the participant whose key it is. */
function organisationOf(view: RegisterView, key: PublicKey, what: string): string {
  const kid = toHex(keyId(key));
  const holder = credentialsOf(view, "keys", kid).findLast(({ state }) => state === "valid" || state === "renewed");
  const organisation = holder === undefined ? undefined : view.get("participants", holder.subject)?.organisation;
  if (organisation !== undefined) return organisation;
  throw refusal(`key ${kid} of the lot's ${what} is that of no participant: issue its credential first`);
}

function refusal(reason: string): GridsealError {
  return new GridsealError("REGISTER_REFUSED", reason);
}

// What commands that take enrolments need: the register, the key that issues, and the services that the network has.

import { join } from "node:path";
import type { Enrolling } from "../../authority/enrolment/take.js";
import { readIssuing } from "../../authority/folder.js";
import { issuedChains } from "../../authority/issued-orders.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { type AuthorityOptions, authorityFolder, useRegister } from "./authority-options.js";

export interface EnrollingOptions extends AuthorityOptions {
  readonly days: number;
}

/** Runs `use` with the authority that the options name. */
export async function useEnrolling<Result>(
  options: EnrollingOptions,
  isFresh: Enrolling["isFresh"],
  use: (enrolling: Enrolling) => Result | Promise<Result>,
): Promise<Result> {
  const { network, days } = options;
  const { genesis, bytes: genesisBytes } = await readGenesisFile(join(network, "genesis.cbor"));
  const folder = authorityFolder(options);
  const now_s = () => Math.floor(Date.now() / 1_000);
  const authority = { issuing: await readIssuing(genesis, folder, now_s()), genesis, genesisBytes };
  const services = (await issuedChains(folder, genesis)).map(({ service }) => service);
  return useRegister(options, (register) => use({ authority, register, services, days, now_s, isFresh }));
}

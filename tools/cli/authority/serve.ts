// `gridseal authority serve`: the enrolment service, until it is stopped. Its log names keys and IDs, and nobody.

import type { Command } from "commander";
import type { EnrolmentOutcome } from "../../authority/enrolment/take.js";
import { DAYS_DEFAULT } from "../../authority/issue.js";
import { createServiceCertificate, type TlsIdentity } from "../../authority/tls.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { refuseExposed } from "../../files/private-files.js";
import { readTlsAuthority } from "../../provisioning/node-folder.js";
import { several, whole } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { stopSignal } from "../../terminal/signals.js";
import { authorityFolder, withAuthority } from "./authority-options.js";
import { type EnrollingOptions, useEnrolling } from "./enrolling.js";

interface ServeOptions extends EnrollingOptions {
  readonly host: readonly string[];
  readonly listen: string;
  readonly port: number;
  readonly cert?: string;
  readonly key?: string;
}

const PEM_BYTES_MAX = 65_536;

export function registerServe(authority: Command): void {
  withAuthority(
    authority.command("serve").description("take enrolments by HTTPS until SIGINT or SIGTERM; logs JSON lines"),
  )
    .option("--host <name>", "name or address that it is reached by (repeatable)", several, [])
    .option("--listen <address>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on", whole(0, 65_535), 8443)
    .option("--cert <file>", "its certificate, PEM; where absent the authority certifies one for --host at each start")
    .option("--key <file>", "the certificate's private key, PEM")
    .option("--days <count>", "validity of credentials", whole(1, 36_500), DAYS_DEFAULT)
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  // Before anything else: a signal that comes while it starts ends nothing halfway.
  const stopped = stopSignal();
  const identity = await identityOf(options);
  const { createEnrolmentService } = await import("../../authority/enrolment/service.js");
  await useEnrolling(
    options,
    () => false,
    async (enrolling) => {
      const service = await createEnrolmentService(
        { host: options.listen, port: options.port, ...identity },
        {
          enrolling,
          onOutcome: (outcome) => log(toldOf(outcome)),
          onDefect: (error) => log({ level: "error", message: reasonOf(error) }),
        },
      );
      const port = await service.listen();
      log({ level: "info", message: "takes enrolments", host: options.listen, port });
      await stopped;
      await service.close();
    },
  );
}

async function identityOf(options: ServeOptions): Promise<TlsIdentity> {
  const { cert, key, host } = options;
  if ((cert === undefined) !== (key === undefined)) throw new GridsealError("USAGE", "name both --cert and --key");
  if (cert !== undefined && key !== undefined) {
    await refuseExposed(key);
    const read = async (path: string) => Buffer.from(await readWhole(path, PEM_BYTES_MAX)).toString("utf8");
    return { cert: await read(cert), key: await read(key) };
  }
  if (host.length === 0) throw new GridsealError("USAGE", "name the service's --host, or --cert and --key");
  return createServiceCertificate(await readTlsAuthority(authorityFolder(options)), host, new Date());
}

/** Of who has asked only the key and the ID: names and contacts stay in the register. */
function toldOf(outcome: EnrolmentOutcome): object {
  const { type: state, key } = outcome;
  const level = state === "refused" ? "warn" : "info";
  const told = { level, message: "enrolment", state, key };
  if (outcome.type === "granted") return { ...told, id: outcome.id };
  return outcome.type === "waiting" ? { ...told, missing: outcome.missing } : { ...told, reason: outcome.reason };
}

function log(entry: object): void {
  printLines([toJson({ time: Date.now(), ...entry })]);
}
